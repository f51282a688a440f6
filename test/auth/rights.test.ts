// Rights and rooms of a connect token: what the claims open, and every way to get them wrong.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { verifyConnectToken } from "../../server/src/auth/connect-token.ts";
import { TokenError } from "../../server/src/auth/jwt.ts";
import { roomPatterns } from "../../server/src/auth/rights.ts";
import { createDraw } from "../helpers/random.ts";
import { makeApp } from "./apps.ts";
import { makeToken, NOW_MS } from "./tokens.ts";

const CHECK = { nowMs: NOW_MS, maxBytes: 100_000 };
const receiving = makeApp({ clientRights: new Set(["history"]) });

function grant(claims: object, app = makeApp()) {
  return verifyConnectToken(app, makeToken({ sub: "user_1", ...claims }), CHECK);
}

function opens(patterns: readonly string[], room: string): boolean {
  return grant({ rooms: patterns }).rooms.opens(room);
}

function assertRefused(claims: object, message: RegExp): void {
  assert.throws(
    () => grant(claims),
    (error) => error instanceof TokenError && error.reason === "bad_token" && message.test(error.message),
    JSON.stringify(claims).slice(0, 80),
  );
}

describe("can", () => {
  it("gives the rights that it names, whatever the application's are", () => {
    assert.deepEqual(grant({ can: ["publish", "direct"] }, receiving).rights, new Set(["direct", "publish"]));
    assert.deepEqual(grant({ can: ["history", "history"] }).rights, new Set(["history"]));
    assert.deepEqual(grant({ can: ["direct", "publish", "history"] }, receiving).rights, new Set(["direct", "publish", "history"]));
    assert.deepEqual(grant({ can: [] }).rights, new Set());
  });

  it("ignores words that it does not know, and takes them in one spelling only", () => {
    assert.deepEqual(grant({ can: ["fly", "direct", "", "constructor", "__proto__"] }).rights, new Set(["direct"]));
    assert.deepEqual(grant({ can: ["Direct", "PUBLISH", "history ", "*"] }).rights, new Set());
  });

  it("left out gives the application's client_rights", () => {
    assert.deepEqual(grant({}, receiving).rights, new Set(["history"]));
    assert.deepEqual(
      verifyConnectToken(receiving, makeToken(undefined, { payloadText: '{"sub":"u","__proto__":{"can":["direct"]}}' }), CHECK).rights,
      new Set(["history"]),
    );
  });

  it("gives the same rights to many connections as one object", () => {
    assert.equal(grant({ can: ["direct", "history"] }).rights, grant({ can: ["history", "fly", "direct"] }).rights);
  });

  it("of a wrong type is refused by name", () => {
    for (const can of [null, "direct", 7, true, {}, { direct: true }, [1], ["direct", null], [["direct"]]])
      assertRefused({ can }, /can must be a list of texts/);
  });
});

describe("rooms", () => {
  it("opens the rooms that it names, and no other", () => {
    const { rooms } = grant({ rooms: ["chat:1", "聊天 😀", "chat:1", "a.c", "__proto__"] });
    for (const room of ["chat:1", "聊天 😀", "a.c", "__proto__"]) assert.ok(rooms.opens(room), room);
    for (const room of ["chat:2", "chat:", "chat:1 ", "Chat:1", "abc", "", "constructor"]) assert.ok(!rooms.opens(room), room);
    assert.deepEqual(rooms.named, ["chat:1", "聊天 😀", "a.c", "__proto__"]);
  });

  it("left out or empty opens none", () => {
    for (const claims of [{}, { rooms: [] }]) {
      const { rooms } = grant(claims);
      assert.deepEqual(rooms.named, []);
      for (const room of ["", "chat:1", "*"]) assert.ok(!rooms.opens(room));
    }
  });

  it("opens with * any characters, none included, and names no room with it", () => {
    const cases: [string, string[], string[]][] = [
      ["*", ["a", "a".repeat(256), "😀"], []],
      ["news:*", ["news:", "news:de", "news:de:1"], ["news", "anews:", "New:"]],
      ["*:de", [":de", "news:de", "a:de:de"], ["de", "news:de "]],
      ["a*b*c", ["abc", "axbxc", "abbcc", "acbc"], ["acb", "ab", "abcd", "xabc"]],
      ["a*a", ["aa", "aba"], ["a", "ab"]],
      ["ab*ba", ["abba", "abxba"], ["aba", "ab"]],
      ["**", ["", "a"], []],
      ["a**b", ["ab", "axb"], ["a", "b"]],
      ["*ab*ab*", ["abab", "xabxabx"], ["ab", "aab", "abba"]],
      ["a.*+?[(", ["a.+?[(", "a.x+?[("], ["ax+?[("]],
    ];
    for (const [pattern, inside, outside] of cases) {
      const { opens: fits, named } = roomPatterns([pattern]);
      for (const room of inside) assert.ok(fits(room), `${pattern} opens ${room}`);
      for (const room of outside) assert.ok(!fits(room), `${pattern} does not open ${room}`);
      assert.deepEqual(named, []);
    }
  });

  it("may mix names and patterns: one that fits is enough", () => {
    const { rooms } = grant({ rooms: ["chat:1", "news:*", "*:public"] });
    for (const room of ["chat:1", "news:de", "x:public"]) assert.ok(rooms.opens(room));
    for (const room of ["chat:2", "x:publi"]) assert.ok(!rooms.opens(room));
    assert.deepEqual(rooms.named, ["chat:1"]);
  });

  it("holds at most 100 patterns of at most 256 characters", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => `room:${i}`);
    assert.ok(opens(hundred, "room:99"));
    assertRefused({ rooms: [...hundred, "room:100"] }, /rooms must have at most 100 patterns/);
    assert.ok(opens(["a".repeat(256)], "a".repeat(256)));
    for (const wrong of ["", "a".repeat(257), "\ud800", "a\udc00*"])
      assertRefused({ rooms: ["chat:1", wrong] }, /rooms must hold texts of 1 to 256 characters/);
  });

  it("of a wrong type is refused by name", () => {
    for (const rooms of [null, "chat:1", 7, true, {}, { 0: "chat:1", length: 1 }, [1], ["chat:1", null], [["chat:1"]]])
      assertRefused({ rooms }, /rooms must be a list of texts/);
  });
});

/** Decides by trying every place for every star: right by its simplicity, and far too slow for a server. */
function naive(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern.startsWith("*")) return Array.from({ length: text.length + 1 }, (_, i) => i).some((i) => naive(pattern.slice(1), text.slice(i)));
  return text !== "" && pattern[0] === text[0] && naive(pattern.slice(1), text.slice(1));
}

/** All texts over an alphabet up to a length. */
function texts(alphabet: readonly string[], length: number): string[] {
  if (length === 0) return [""];
  const shorter = texts(alphabet, length - 1);
  return [...shorter, ...shorter.filter((text) => text.length === length - 1).flatMap((text) => alphabet.map((letter) => text + letter))];
}

describe("the matching of patterns", () => {
  it("agrees with the simplest one on every short pattern and text", () => {
    const rooms = texts(["a", "b"], 6);
    let fitting = 0;
    for (const pattern of texts(["a", "b", "*"], 5).filter((each) => each !== "")) {
      const { opens: fits } = roomPatterns([pattern]);
      for (const room of rooms) {
        const expected = naive(pattern, room);
        if (fits(room) !== expected) assert.fail(`${pattern} and ${room}: ${!expected}`);
        if (expected) fitting++;
      }
    }
    assert.ok(fitting > 1_000);
  });

  it("agrees with it on longer ones of every mixture", () => {
    const below = createDraw(20_261_123);
    const make = (letters: string, length: number) => Array.from({ length }, () => letters[below(letters.length)]).join("");
    let fitting = 0;
    for (let i = 0; i < 20_000; i++) {
      const room = make("aab:", below(24));
      // Half of the patterns are made from the text, so that many fit.
      const cut = below(room.length + 1);
      const pattern = below(2) === 0 ? make("aab:**", 1 + below(10)) : `${room.slice(0, cut)}*${room.slice(cut + below(4))}${make("*a", below(3))}`;
      const expected = naive(pattern, room);
      assert.equal(roomPatterns([pattern]).opens(room), expected, `case ${i}: ${pattern} and ${room}`);
      if (expected) fitting++;
    }
    assert.ok(fitting > 2_000 && fitting < 18_000, String(fitting));
  });

  it("takes no longer for patterns made to be tried for ever", () => {
    const room = `${"a".repeat(255)}b`;
    const hostile = ["*a".repeat(128), `${"*a".repeat(127)}*c`, `${"a*".repeat(127)}c`, `*${"a".repeat(127)}c*`, `*${"ab".repeat(60)}*`, "*".repeat(256)];
    const { rooms } = grant({ rooms: Array.from({ length: 100 }, (_, i) => `${hostile[i % hostile.length]?.slice(0, 252)}${i}*`) });
    const started = process.hrtime.bigint();
    for (let i = 0; i < 100; i++) assert.ok(!rooms.opens(room));
    const perRoomMs = Number(process.hrtime.bigint() - started) / 1e6 / 100;
    assert.ok(perRoomMs < 20, `100 patterns took ${perRoomMs} ms`);
  });
});
