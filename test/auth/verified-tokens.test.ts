// Proofs that are remembered: never longer than they hold, never more than there is room for.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { App } from "../../server/src/apps/app.ts";
import type { AppRegistry } from "../../server/src/apps/registry.ts";
import { verifyApiToken } from "../../server/src/auth/api-token.ts";
import { verifyConnectToken } from "../../server/src/auth/connect-token.ts";
import { verifySignature } from "../../server/src/auth/jwt.ts";
import { createVerifiedTokens, type Verified, type VerifiedTokens } from "../../server/src/auth/verified-tokens.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { makeApp, makeRegistry, makeSecret, makeSet, SECRET } from "./apps.ts";
import { apiClaims, bearer, makeToken, NOW_MS, NOW_S } from "./tokens.ts";

const VERIFIED = { claims: {}, secret: makeSecret(SECRET) };

/** An application whose secrets count how often a proof is made with them. */
function countProofs(app: App): { app: App; proofs: () => number } {
  let reads = 0;
  const counted = new Proxy(app, {
    get(target, name, receiver) {
      if (name === "secrets") reads++;
      return Reflect.get(target, name, receiver);
    },
  });
  return { app: counted, proofs: () => reads };
}

function refusedWith(code: ErrorCode, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof XlveinError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

function verify(apps: AppRegistry, verified: VerifiedTokens, header: string, nowMs = NOW_MS) {
  return verifyApiToken(apps, header, { nowMs, maxBytes: 4_096, verified });
}

describe("an API token that is sent again", () => {
  it("is proved once", () => {
    const { app, proofs } = countProofs(makeApp());
    const apps = makeRegistry(app);
    const verified = createVerifiedTokens(apps);
    const header = bearer();
    const first = verify(apps, verified, header);
    for (let n = 0; n < 5; n++) assert.deepEqual(verify(apps, verified, header), first);
    assert.equal(proofs(), 1);
    assert.equal(first.app, app);
    verify(apps, verified, bearer());
    assert.equal(proofs(), 2, "another token is another proof");
  });

  it("is one whatever the case and the spaces of the scheme", () => {
    const apps = makeRegistry(makeApp());
    const verified = createVerifiedTokens(apps);
    const header = bearer();
    for (const spelled of [header, header.replace("Bearer", "bearer"), header.replace(" ", "   ")])
      assert.equal(verify(apps, verified, spelled).secretId, "default", spelled.slice(0, 12));
    assert.equal(verified.size, 1);
    assert.throws(() => verify(apps, verified, header.replace("Bearer", "Basic")), refusedWith(ErrorCode.TOKEN_INVALID, /not Bearer/));
    assert.throws(() => verify(apps, verified, `${header} x`), refusedWith(ErrorCode.TOKEN_INVALID, /not Bearer/));
    assert.throws(() => verify(apps, verified, header.slice(0, -1)), refusedWith(ErrorCode.TOKEN_INVALID, /./));
  });

  it("ends with its exp and the leeway, each time it is looked at", () => {
    const apps = makeRegistry(makeApp());
    const verified = createVerifiedTokens(apps);
    const header = bearer({ exp: NOW_S + 10 });
    verify(apps, verified, header);
    assert.ok(verify(apps, verified, header, NOW_MS + 14_999));
    assert.throws(() => verify(apps, verified, header, NOW_MS + 15_000), refusedWith(ErrorCode.TOKEN_INVALID, /exp has passed/));
    assert.equal(verified.size, 0, "it is forgotten");
  });

  it("is refused again when the clock has stepped back before its nbf, its iat or its longest life", () => {
    const apps = makeRegistry(makeApp());
    const verified = createVerifiedTokens(apps);
    for (const [claims, message] of [
      [{ nbf: NOW_S }, /nbf/],
      [{ iat: NOW_S }, /iat/],
      [{ exp: NOW_S + 300 }, /more than 5 minutes/],
    ] as const) {
      const header = bearer(claims);
      verify(apps, verified, header);
      assert.throws(() => verify(apps, verified, header, NOW_MS - 6_000), refusedWith(ErrorCode.TOKEN_INVALID, message));
      assert.ok(verify(apps, verified, header));
    }
  });

  it("ends with the secret that proved it", () => {
    const apps = makeRegistry(makeApp({ secrets: [makeSecret("old", "old", NOW_MS + 1_000), makeSecret(SECRET, "new")] }));
    const verified = createVerifiedTokens(apps);
    const header = bearer({}, { secret: "old" });
    assert.equal(verify(apps, verified, header).secretId, "old");
    assert.ok(verify(apps, verified, header, NOW_MS + 999));
    assert.throws(() => verify(apps, verified, header, NOW_MS + 1_000), refusedWith(ErrorCode.TOKEN_INVALID, /signature/));
  });

  it("is proved anew once the applications have been replaced", () => {
    const apps = makeRegistry(makeApp(), makeApp({ key: "b", secrets: [makeSecret("b")] }));
    const verified = createVerifiedTokens(apps);
    const [header, ofB] = [bearer(), bearer({ iss: "b" }, { secret: "b" })];
    const b = verify(apps, verified, ofB).app;
    for (const [changed, code, message] of [
      [makeApp({ secrets: [makeSecret("another")] }), ErrorCode.TOKEN_INVALID, /signature/],
      [makeApp({ enabled: false }), ErrorCode.APP_DISABLED, /disabled/],
      [makeApp({ pushAuth: new Set(["sign"]) }), ErrorCode.NOT_AUTHORISED, /push_auth/],
      [makeApp({ algorithms: ["HS512"] }), ErrorCode.TOKEN_INVALID, /algorithm/],
      [undefined, ErrorCode.APP_NOT_FOUND, /no application/],
    ] as const) {
      apps.replace(makeSet(makeApp(), b));
      verify(apps, verified, header);
      assert.equal(verified.size, 2);
      apps.replace(changed ? makeSet(changed, b) : makeSet(b));
      assert.equal(verified.size, 1, "the proof is forgotten at once; the neighbour's stays");
      assert.throws(() => verify(apps, verified, header), refusedWith(code, message));
    }
  });

  it("is not taken on old proof by whoever is told of the replacement first", () => {
    const apps = makeRegistry(makeApp());
    let seen: unknown = "nothing";
    // Listens before the proofs do.
    apps.onChange(() => {
      seen = verified.get(token, NOW_MS);
    });
    const verified = createVerifiedTokens(apps);
    const header = bearer();
    const token = header.slice("Bearer ".length);
    verify(apps, verified, header);
    assert.ok(verified.get(token, NOW_MS));
    apps.replace(makeSet(makeApp({ enabled: false })));
    assert.equal(seen, undefined);
  });

  it("is refused as before when it was refused before: refusals are not remembered", () => {
    const apps = makeRegistry(makeApp(), makeApp({ key: "off", enabled: false }));
    const verified = createVerifiedTokens(apps);
    const bad = [
      bearer({ aud: "test" }),
      bearer({ exp: NOW_S - 60 }),
      bearer({ jti: "" }),
      bearer({}, { secret: "wrong" }),
      bearer({ iss: "off" }),
      bearer({ iss: "b" }),
    ];
    for (let n = 0; n < 2; n++) for (const header of bad) assert.throws(() => verify(apps, verified, header), XlveinError);
    assert.equal(verified.size, 0);
  });

  it("longer than the limit is refused, known or not", () => {
    const apps = makeRegistry(makeApp());
    const verified = createVerifiedTokens(apps);
    const header = bearer();
    verify(apps, verified, header);
    const check = { nowMs: NOW_MS, maxBytes: 50, verified };
    assert.throws(() => verifyApiToken(apps, header, check), refusedWith(ErrorCode.TOKEN_INVALID, /longer than 50/));
  });

  it("proves nothing for the application it does not name", () => {
    const app = makeApp();
    const apps = makeRegistry(app, makeApp({ key: "b", secrets: [makeSecret("b")] }));
    const verified = createVerifiedTokens(apps);
    // Signed by one application, and issued in the name of another.
    const token = makeToken(apiClaims({ iss: "b" }));
    verified.keep(app, token, verifySignature(app, token, { nowMs: NOW_MS, maxBytes: 4_096 }));
    assert.throws(() => verify(apps, verified, `Bearer ${token}`), refusedWith(ErrorCode.TOKEN_INVALID, /signature/));
  });
});

describe("a signature that was verified before", () => {
  it("is used again for its own application only", () => {
    const [a, b] = [countProofs(makeApp()), countProofs(makeApp({ key: "b", secrets: [makeSecret("b")] }))];
    const verified = createVerifiedTokens(makeRegistry(a.app, b.app));
    const check = { nowMs: NOW_MS, maxBytes: 4_096, verified };
    const token = makeToken({ sub: "user_1" });
    verified.keep(a.app, token, verifySignature(a.app, token, check));
    assert.equal(verifySignature(a.app, token, check).claims["sub"], "user_1");
    assert.equal(a.proofs(), 1);
    assert.throws(() => verifySignature(b.app, token, check), refusedWith(ErrorCode.TOKEN_INVALID, /signature/));
    assert.equal(b.proofs(), 1);
  });
});

describe("remembered proofs", () => {
  it("are bounded in number: the oldest is forgotten first", () => {
    const app = makeApp();
    const verified = createVerifiedTokens(makeRegistry(app), { maxTokens: 3 });
    for (const token of ["a", "b", "c", "d"]) verified.keep(app, token, VERIFIED);
    assert.deepEqual(
      ["a", "b", "c", "d"].filter((token) => verified.get(token, NOW_MS)),
      ["b", "c", "d"],
    );
    verified.keep(app, "b", verified.get("b", NOW_MS) as Verified);
    verified.keep(app, "e", VERIFIED);
    assert.equal(verified.get("b", NOW_MS), undefined, "what is used again is as old as before");
    verified.keep(app, "c", { ...VERIFIED, claims: {} });
    verified.keep(app, "f", VERIFIED);
    assert.equal(verified.get("d", NOW_MS), undefined, "c was proved again, after d");
    assert.equal(verified.size, 3);
  });

  it("are bounded in bytes, and one that is larger than all of them is not remembered", () => {
    const app = makeApp();
    const verified = createVerifiedTokens(makeRegistry(app), { maxBytes: 100 });
    for (let n = 0; n < 50; n++) verified.keep(app, `${n}`.padEnd(40, "x"), VERIFIED);
    assert.equal(verified.size, 2);
    verified.keep(app, "y".repeat(101), VERIFIED);
    assert.equal(verified.size, 2);
    verified.keep(app, "z".repeat(100), VERIFIED);
    assert.equal(verified.size, 1);
    // What was forgotten is not counted any more.
    verified.keep(app, "w".repeat(60), VERIFIED);
    verified.keep(app, "v".repeat(40), VERIFIED);
    assert.equal(verified.size, 2);
  });

  it("of an application that is not in force are none", () => {
    const verified = createVerifiedTokens(makeRegistry(makeApp()));
    verified.keep(makeApp(), "a", VERIFIED);
    assert.equal(verified.size, 0);
  });
});

describe("a connect token that is presented again", () => {
  it("is proved once, and its claims and times are checked each time", () => {
    const { app, proofs } = countProofs(makeApp());
    const verified = createVerifiedTokens(makeRegistry(app));
    const token = makeToken({ sub: "user_1", exp: NOW_S + 10, rooms: ["chat:1"] });
    const connect = (nowMs: number) => verifyConnectToken(app, token, { nowMs, maxBytes: 4_096, verified });
    const first = connect(NOW_MS);
    assert.deepEqual(connect(NOW_MS + 1).rooms.named, first.rooms.named);
    assert.equal(proofs(), 1);
    assert.throws(() => connect(NOW_MS + 15_000), refusedWith(ErrorCode.TOKEN_INVALID, /exp has passed/));
    assert.throws(() => verifyConnectToken(app, `${token}A`, { nowMs: NOW_MS, maxBytes: 4_096, verified }), refusedWith(ErrorCode.TOKEN_INVALID, /./));
  });
});
