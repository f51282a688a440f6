// Room tokens: they let one account into one room, and never stand in for another kind of token.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { App } from "../../server/src/apps/app.ts";
import { verifyApiToken } from "../../server/src/auth/api-token.ts";
import { verifyConnectToken } from "../../server/src/auth/connect-token.ts";
import { TokenError } from "../../server/src/auth/jwt.ts";
import { verifyRoomToken } from "../../server/src/auth/room-token.ts";
import { ErrorCode } from "../../server/src/errors.ts";
import { makeApp, makeRegistry, makeSecret } from "./apps.ts";
import { apiClaims, makeToken, NOW_MS, NOW_S, type TokenParts } from "./tokens.ts";

const CHECK = { nowMs: NOW_MS, maxBytes: 4_096 };
const CLAIMS = { aud: "xlvein-room", sub: "user_1", room: "chat:1", exp: NOW_S + 60 };
const app = makeApp();

function verify(changes: object = {}, parts: TokenParts = {}, to: App = app) {
  return verifyRoomToken(to, makeToken({ ...CLAIMS, ...changes }, parts), "user_1", "chat:1", CHECK);
}

function assertRefused(changes: object, message: RegExp, reason = "bad_token", parts: TokenParts = {}, to: App = app): void {
  assert.throws(
    () => verify(changes, parts, to),
    (error) => {
      assert.ok(error instanceof TokenError, String(error));
      assert.equal(error.code, ErrorCode.TOKEN_INVALID);
      assert.equal(error.reason, reason);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("a room token", () => {
  it("lets its account into its room until it expires", () => {
    assert.deepEqual(verify(), { expiresAtMs: (NOW_S + 60) * 1_000 });
    assert.deepEqual(verify({ exp: NOW_S - 4 }), { expiresAtMs: (NOW_S - 4) * 1_000 }, "clocks may differ by five seconds");
    assert.ok(verify({ exp: NOW_S + 365 * 86_400, iss: "shop", jti: 7, nbf: NOW_S, iat: NOW_S, rooms: 5, can: "x" }), "other claims do not count");
  });

  it("must have aud xlvein-room alone", () => {
    for (const aud of [undefined, null, "", "test", "xlvein-api", "XLVEIN-ROOM", ["xlvein-room"], ["xlvein-room", "test"], {}, 1])
      assertRefused({ aud }, /aud must be "xlvein-room"/);
    assertRefused({ aud: "room-server" }, /aud/, "bad_token", {}, makeApp({ key: "room-server" }));
  });

  it("must have an exp that has not passed", () => {
    assertRefused({ exp: undefined }, /exp is missing/);
    assertRefused({ exp: NOW_S - 5 }, /exp has passed/, "expired_token");
    for (const exp of [null, "1800000060", [], {}, true]) assertRefused({ exp }, /exp must be a number/);
    assertRefused({ nbf: NOW_S + 60 }, /nbf/);
    assertRefused({ iat: NOW_S + 60 }, /iat/);
  });

  it("is for the account of the connection only", () => {
    for (const sub of [undefined, null, "", "user_2", "User_1", "user_1 ", ["user_1"], 7]) assertRefused({ sub }, /sub must be the account/);
  });

  it("is for the room that is asked for only, by its full name", () => {
    for (const room of [undefined, null, "", "chat:2", "chat:*", "*", "Chat:1", ["chat:1"], 7]) assertRefused({ room }, /room must be the room/);
    const token = makeToken({ ...CLAIMS, room: "*" });
    assert.throws(() => verifyRoomToken(app, token, "user_1", "chat:1", CHECK), /room must be/);
  });

  it("must be signed by the application, in form and in size", () => {
    assertRefused({}, /signature/, "bad_token", { secret: "other" });
    assertRefused({}, /./, "bad_token", { header: { alg: "none" } });
    assertRefused({}, /signature/, "bad_token", {}, makeApp({ secrets: [makeSecret("other")] }));
    assertRefused({ pad: "x".repeat(4_000) }, /longer than 4096/);
    for (const token of ["", "x", "a.b.c"]) assert.throws(() => verifyRoomToken(app, token, "user_1", "chat:1", CHECK), /not a JWT/);
    for (const payloadText of ["null", "[]", '{"__proto__":{"aud":"xlvein-room"}}']) assertRefused({}, /./, "bad_token", { payloadText });
  });
});

describe("tokens of the three kinds", () => {
  it("are refused wherever another kind is asked for", () => {
    const room = makeToken({ ...CLAIMS, iss: "test", jti: "1" });
    const connect = makeToken({ sub: "user_1", room: "chat:1", rooms: ["chat:1"], exp: NOW_S + 60 });
    const connectNamed = makeToken({ sub: "user_1", room: "chat:1", aud: "test", exp: NOW_S + 60 });
    const api = makeToken(apiClaims({ sub: "user_1", room: "chat:1" }));
    for (const token of [connect, connectNamed, api]) assert.throws(() => verifyRoomToken(app, token, "user_1", "chat:1", CHECK), /aud must be "xlvein-room"/);
    for (const token of [room, api]) assert.throws(() => verifyConnectToken(app, token, CHECK), /never connects/);
    assert.throws(() => verifyApiToken(makeRegistry(app), `Bearer ${room}`, CHECK), /aud must be "xlvein-api"/);
    // Each is sound where it belongs.
    assert.ok(verifyRoomToken(app, room, "user_1", "chat:1", CHECK));
    assert.ok(verifyConnectToken(app, connect, CHECK) && verifyConnectToken(app, connectNamed, CHECK));
    assert.ok(verifyApiToken(makeRegistry(app), `Bearer ${api}`, CHECK));
  });
});
