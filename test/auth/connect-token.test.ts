// Connect tokens: whom they let in, and every way of pretending.
import assert from "node:assert/strict";
import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { App } from "../../server/src/apps/app.ts";
import { TokenError, verifyConnectToken, verifyForUnknownApp } from "../../server/src/auth/connect-token.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { makeApp, makeSecret, SECRET } from "./apps.ts";
import { encode, makeToken, NOW_MS, NOW_S, type TokenParts } from "./tokens.ts";

const CHECK = { nowMs: NOW_MS, maxBytes: 4_096 };
const app = makeApp();

interface TokenVector {
  secret: string;
  token: string;
  account: string;
  now_seconds: number;
  payload: { exp: number };
}

const { vectors } = JSON.parse(readFileSync(new URL("../vectors/token.json", import.meta.url), "utf8")) as { vectors: TokenVector[] };

function grant(payload: unknown, parts: TokenParts = {}, to: App = app) {
  return verifyConnectToken(to, makeToken(payload, parts), CHECK);
}

function assertRefused(token: string, reason: string, message: RegExp, to: App = app): void {
  assert.throws(
    () => verifyConnectToken(to, token, CHECK),
    (error) => {
      assert.ok(error instanceof TokenError && error instanceof XlveinError, String(error));
      assert.equal(error.code, ErrorCode.TOKEN_INVALID);
      assert.equal(error.status, 401);
      assert.equal(error.reason, reason, error.message);
      assert.match(error.message, message);
      for (const part of token.split(".")) if (part.length > 8) assert.ok(!error.message.includes(part), "the message repeats the token");
      return true;
    },
  );
}

describe("a connect token", () => {
  it("of the Go service's SDK names its account while it has not expired", () => {
    for (const { secret, token, account, now_seconds, payload } of vectors) {
      const old = makeApp({ secrets: [makeSecret(secret)] });
      const { rights, rooms, ...who } = verifyConnectToken(old, token, { nowMs: now_seconds * 1_000, maxBytes: 4_096 });
      assert.deepEqual(who, { account, expiresAtMs: payload.exp * 1_000, secretId: "default" });
      assert.deepEqual([rights, rooms.named], [new Set(["direct", "publish", "history"]), []]);
      assertRefused(token, "expired_token", /exp has passed/, old);
    }
  });

  it("needs nothing but sub", () => {
    const { rights, rooms, ...who } = grant({ sub: "user_1" });
    assert.deepEqual(who, { account: "user_1", expiresAtMs: undefined, secretId: "default" });
    assert.equal(rights, app.clientRights, "nothing is made for a token without can");
    assert.equal(rooms, grant({ sub: "user_2" }).rooms, "nothing is made for a token without rooms");
    assert.equal(grant({ sub: "用户 😀:.*" }).account, "用户 😀:.*");
    assert.equal(grant({ sub: "a".repeat(3_000) }).account.length, 3_000);
    assert.equal(grant({ sub: "u", anything: { deep: [1] }, iss: 7 }).account, "u");
  });

  it("may be signed with any algorithm that the application lists, and no other", () => {
    const many = makeApp({ algorithms: ["HS256", "HS512"] });
    const hs512 = { header: { alg: "HS512" }, hash: "sha512" };
    assert.equal(grant({ sub: "u" }, hs512, many).account, "u");
    assertRefused(makeToken({ sub: "u" }, hs512), "bad_token", /algorithm is not HS256/);
    assertRefused(makeToken({ sub: "u" }, { header: { alg: "HS384" }, hash: "sha384" }), "bad_token", /signature does not match, or the algorithm/, many);
  });

  it("is accepted with every secret that has not ended, and says which", () => {
    const rotated = makeApp({ secrets: [makeSecret("new", "b"), makeSecret("old", "a", NOW_MS + 1), makeSecret("dead", "z", NOW_MS)] });
    assert.equal(grant({ sub: "u" }, { secret: "new" }, rotated).secretId, "b");
    assert.equal(grant({ sub: "u" }, { secret: "old" }, rotated).secretId, "a");
    assertRefused(makeToken({ sub: "u" }, { secret: "dead" }), "bad_token", /signature/, rotated);
    assertRefused(makeToken({ sub: "u" }, { secret: "old" }), "bad_token", /signature/, makeApp({ secrets: [makeSecret("old", "a", NOW_MS)] }));
  });

  it("lets clocks differ by five seconds and no more", () => {
    assert.equal(grant({ sub: "u", exp: NOW_S - 4.9 }).expiresAtMs, (NOW_S - 4.9) * 1_000);
    assertRefused(makeToken({ sub: "u", exp: NOW_S - 5 }), "expired_token", /exp/);
    assert.ok(grant({ sub: "u", nbf: NOW_S + 5 }));
    assertRefused(makeToken({ sub: "u", nbf: NOW_S + 5.1 }), "bad_token", /nbf/);
    assert.ok(grant({ sub: "u", iat: NOW_S + 5 }));
    assertRefused(makeToken({ sub: "u", iat: NOW_S + 6 }), "bad_token", /iat/);
    assert.ok(grant({ sub: "u", exp: NOW_S + 100 * 365 * 86_400 }));
  });

  it("needs exp where the application requires it", () => {
    const strict = makeApp({ requireExp: true });
    assert.ok(grant({ sub: "u", exp: NOW_S + 1 }, {}, strict));
    assertRefused(makeToken({ sub: "u" }), "bad_token", /exp is missing/, strict);
  });

  it("may carry the application's key as aud, and nothing else", () => {
    for (const aud of ["test", ["test"], ["other", "test"]]) assert.ok(grant({ sub: "u", aud }));
    for (const aud of ["other", [], ["other"], null, 1, {}, ["test", 1], ["test", null], "TEST", ""])
      assertRefused(makeToken({ sub: "u", aud }), "bad_token", /aud/);
  });

  it("is never one made for the API or for a room", () => {
    for (const reserved of ["xlvein-api", "xlvein-room"]) {
      for (const aud of [reserved, [reserved], ["test", reserved]]) assertRefused(makeToken({ sub: "u", aud }), "bad_token", /never connects/);
      assertRefused(makeToken({ sub: "u", aud: reserved }), "bad_token", /never connects/, makeApp({ key: reserved }));
    }
  });

  it("is refused with every claim of a wrong type, naming the claim", () => {
    const wrong = [null, true, "1800000000", "", [], {}, [NOW_S], "x"];
    for (const name of ["exp", "nbf", "iat"]) {
      for (const value of wrong) assertRefused(makeToken({ sub: "u", [name]: value }), "bad_token", new RegExp(name));
      for (const text of ["1e400", "-1e400", "1e308"]) {
        assertRefused(makeToken(undefined, { payloadText: `{"sub":"u","${name}":${text}}` }), "bad_token", new RegExp(name));
      }
    }
    for (const value of [null, true, 0, 7, "", [], ["u"], {}, "\ud800", "a\udc00b", "a".repeat(4_097)]) {
      const token = makeToken({ sub: value });
      assert.throws(() => verifyConnectToken(app, token, { ...CHECK, maxBytes: 10_000 }), /sub must be/);
    }
    assertRefused(makeToken({}), "bad_token", /sub/);
    assertRefused(makeToken(undefined, { payloadText: '{"__proto__":{"sub":"u"}}' }), "bad_token", /sub/);
  });

  it("is refused when its payload is not an object", () => {
    for (const payload of [null, [], ["u"], "text", 7, true, [{ sub: "u" }]]) assertRefused(makeToken(payload), "bad_token", /token: /);
    for (const payloadText of ["", "{", "not json", '{"sub":"u"}x']) {
      for (const header of [{ alg: "HS256", typ: "JWT" }, { alg: "HS256" }])
        assertRefused(makeToken(undefined, { payloadText, header }), "bad_token", /token: /);
    }
  });

  it("takes the last of repeated claims, as the check and the grant both see it", () => {
    assert.equal(grant(undefined, { payloadText: '{"sub":"a","sub":"b"}' }).account, "b");
    assertRefused(makeToken(undefined, { payloadText: `{"sub":"a","exp":${NOW_S + 60},"exp":1}` }), "expired_token", /exp/);
  });
});

describe("a forged connect token", () => {
  const valid = makeToken({ sub: "user_1" });
  const [header = "", payload = "", signature = ""] = valid.split(".");

  it("without a signature is refused whatever spelling of none it uses", () => {
    for (const alg of ["none", "None", "NONE", "nOnE", "", null, 0, [], ["HS256"], { toString: "HS256" }, undefined, "HS256 ", "hs256"]) {
      const forged = encode({ alg, typ: "JWT" });
      for (const end of ["", signature, encode("x")]) assertRefused(`${forged}.${payload}.${end}`, "bad_token", /./);
      assertRefused(makeToken({ sub: "u" }, { header: { alg, typ: "JWT" } }), "bad_token", /./);
    }
  });

  it("of an asymmetric algorithm is refused, also when signed with the secret as if it were one", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
    const signed = `${encode({ alg: "RS256" })}.${payload}`;
    assertRefused(`${signed}.${createSign("sha256").update(signed).sign(privateKey).toString("base64url")}`, "bad_token", /algorithm/);
    for (const alg of ["RS256", "ES256", "PS256", "EdDSA"]) assertRefused(makeToken({ sub: "u" }, { header: { alg } }), "bad_token", /algorithm/);
    assertRefused(makeToken({ sub: "u" }, { secret: pem }), "bad_token", /signature/);
  });

  it("cannot choose its key by header", () => {
    const attacker = { secret: "attacker" };
    const choices = [
      { kid: "../../dev/null" },
      { kid: "default" },
      { kid: "' OR 1=1 --" },
      { jku: "http://127.0.0.1:1/keys" },
      { x5u: "http://127.0.0.1:1/cert" },
      { jwk: { kty: "oct", k: encode("attacker") } },
      { x5c: ["AAAA"] },
    ];
    for (const choice of choices) {
      assertRefused(makeToken({ sub: "u" }, { header: { alg: "HS256", ...choice }, ...attacker }), "bad_token", /signature/);
      assert.equal(grant({ sub: "u" }, { header: { alg: "HS256", ...choice } }).account, "u", "the header is ignored");
    }
    for (const secret of ["", "undefined", "null", "default", "test", SECRET.toUpperCase(), `${SECRET} `])
      assertRefused(makeToken({ sub: "u" }, { secret }), "bad_token", /signature/);
  });

  it("that names critical extensions is refused, whatever they are", () => {
    for (const crit of [["exp"], ["b64"], [], "exp", null, {}]) {
      assertRefused(makeToken({ sub: "u" }, { header: { alg: "HS256", crit, b64: false } }), "bad_token", /crit/);
    }
  });

  it("with any single character changed is refused", () => {
    assert.equal(verifyConnectToken(app, valid, CHECK).account, "user_1");
    for (let at = 0; at < valid.length; at++) {
      for (const other of ["A", "B", "_", "=", ".", "", "+", "/", " ", "é", "\n"]) {
        const forged = valid.slice(0, at) + other + valid.slice(at + 1);
        if (forged !== valid) assertRefused(forged, "bad_token", /./);
      }
    }
  });

  it("in another spelling of the same bytes is refused", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const bytes = Buffer.from(signature, "base64url");
    const twins = [...alphabet]
      .map((last) => signature.slice(0, -1) + last)
      .filter((twin) => twin !== signature && Buffer.from(twin, "base64url").equals(bytes));
    assert.ok(twins.length > 0);
    for (const twin of twins) assertRefused(`${header}.${payload}.${twin}`, "bad_token", /canonical/);
    for (const other of [
      `${valid}=`,
      `${header}=.${payload}.${signature}`,
      ` ${valid}`,
      `${valid}\n`,
      `${valid}.`,
      `.${valid}`,
      `${header}..${signature}`,
      `${header}.${payload}`,
      payload,
      "",
      "..",
      "a.b.c",
    ]) {
      assertRefused(other, "bad_token", /./);
    }
  });

  it("whose parts come from different tokens is refused", () => {
    const other = makeToken({ sub: "admin" }).split(".");
    assertRefused(`${header}.${other[1]}.${signature}`, "bad_token", /signature/);
    const truncated = createHmac("sha256", SECRET).update(`${header}.${payload}`).digest().subarray(0, 16).toString("base64url");
    assertRefused(`${header}.${payload}.${truncated}`, "bad_token", /signature/);
  });

  it("is measured before it is looked at", () => {
    assertRefused("a".repeat(4_097), "bad_token", /longer than 4096 bytes/);
    assertRefused(makeToken({ sub: "u", pad: "x".repeat(4_000) }), "bad_token", /longer/);
    const started = process.hrtime.bigint();
    for (let i = 0; i < 200; i++) assertRefused(`${"A".repeat(4_095)}!`, "bad_token", /canonical/);
    assert.ok(Number(process.hrtime.bigint() - started) / 1e6 < 2_000);
  });
});

describe("a token for an application that does not exist", () => {
  it("is answered APP_NOT_FOUND, whatever it is", () => {
    for (const token of [makeToken({ sub: "u" }), "", "x", "a".repeat(100_000), makeToken(null)]) {
      assert.throws(() => verifyForUnknownApp(token, CHECK), { code: ErrorCode.APP_NOT_FOUND, status: 404, reason: "unknown_app" });
    }
  });

  it("costs what a wrong signature costs", () => {
    const forged = makeToken({ sub: "user_1" }, { secret: "wrong" });
    const time = (work: () => unknown): number => {
      const started = process.hrtime.bigint();
      for (let i = 0; i < 400; i++) assert.throws(work);
      return Number(process.hrtime.bigint() - started);
    };
    const [known, unknown] = [() => verifyConnectToken(app, forged, CHECK), () => verifyForUnknownApp(forged, CHECK)];
    time(known);
    time(unknown);
    const ratios = Array.from({ length: 9 }, () => time(unknown) / time(known)).sort((a, b) => a - b);
    const median = ratios[4] ?? 0;
    assert.ok(median > 0.5 && median < 2, `an unknown application takes ${median} times as long`);
  });
});
