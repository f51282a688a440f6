// API tokens: only short-lived ones made for the API, from applications that take them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { verifyApiToken } from "../../server/src/auth/api-token.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { makeApp, makeRegistry, makeSecret } from "./apps.ts";
import { apiClaims, bearer, makeToken, NOW_MS, NOW_S } from "./tokens.ts";

const CHECK = { nowMs: NOW_MS, maxBytes: 4_096 };
const apps = makeRegistry(
  makeApp(),
  makeApp({ key: "off", enabled: false }),
  makeApp({ key: "signs", pushAuth: new Set(["sign"]) }),
  makeApp({ key: "b", secrets: [makeSecret("b")] }),
);

function assertRefused(authorization: string | undefined, code: ErrorCode, message: RegExp): void {
  assert.throws(
    () => verifyApiToken(apps, authorization, CHECK),
    (error) => {
      assert.ok(error instanceof XlveinError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("an API token", () => {
  it("proves the application that iss names", () => {
    const { app, secretId } = verifyApiToken(apps, bearer(), CHECK);
    assert.equal(app.key, "test");
    assert.equal(secretId, "default");
    assert.equal(verifyApiToken(apps, bearer({ iss: "b" }, { secret: "b" }), CHECK).app.key, "b");
    assert.equal(verifyApiToken(apps, bearer().replace("Bearer", "bearer"), CHECK).app.key, "test");
  });

  it("must be in an Authorization header of the Bearer scheme", () => {
    assertRefused(undefined, ErrorCode.TOKEN_INVALID, /Authorization header is missing/);
    for (const header of ["", "Bearer", "Bearer ", "Basic dGVzdDp0ZXN0", makeToken(apiClaims()), `Bearer ${makeToken(apiClaims())} x`])
      assertRefused(header, ErrorCode.TOKEN_INVALID, /not Bearer and a JWT/);
    assertRefused("Bearer abc", ErrorCode.TOKEN_INVALID, /not a JWT/);
    assertRefused(`Bearer ${"a".repeat(5_000)}`, ErrorCode.TOKEN_INVALID, /longer than 4096/);
  });

  it("must have each claim, of the right type and value", () => {
    for (const aud of [undefined, null, "test", ["xlvein-api"], "xlvein-room", "XLVEIN-API"])
      assertRefused(bearer({ aud }), ErrorCode.TOKEN_INVALID, /aud must be "xlvein-api"/);
    for (const exp of [undefined, NOW_S + 306, NOW_S + 86_400]) assertRefused(bearer({ exp }), ErrorCode.TOKEN_INVALID, /exp is/);
    for (const exp of [null, "1", [], {}]) assertRefused(bearer({ exp }), ErrorCode.TOKEN_INVALID, /exp must be/);
    assertRefused(bearer({ exp: NOW_S - 5 }), ErrorCode.TOKEN_INVALID, /exp has passed/);
    for (const jti of [undefined, null, "", 7, ["a"]]) assertRefused(bearer({ jti }), ErrorCode.TOKEN_INVALID, /jti/);
    for (const iss of [undefined, null, 7, ["test"], {}]) assertRefused(bearer({ iss }), ErrorCode.TOKEN_INVALID, /iss/);
    assertRefused(bearer({ nbf: NOW_S + 60 }), ErrorCode.TOKEN_INVALID, /nbf/);
    assertRefused(bearer({ iat: NOW_S + 60 }), ErrorCode.TOKEN_INVALID, /iat/);
    for (const payloadText of ["null", "[]", '"x"', "{", ""]) assertRefused(bearer({}, { payloadText }), ErrorCode.TOKEN_INVALID, /./);
  });

  it("may live five minutes and the leeway", () => {
    assert.ok(verifyApiToken(apps, bearer({ exp: NOW_S + 305 }), CHECK));
    assert.ok(verifyApiToken(apps, bearer({ exp: NOW_S - 4 }), CHECK));
  });

  it("is refused when another application's secret signed it", () => {
    assertRefused(bearer({ iss: "b" }), ErrorCode.TOKEN_INVALID, /signature/);
    assertRefused(bearer({}, { header: { alg: "none" } }), ErrorCode.TOKEN_INVALID, /./);
  });

  it("is never a client's connect token", () => {
    assertRefused(`Bearer ${makeToken({ sub: "user_1", iss: "TimeToken", exp: NOW_S + 60 })}`, ErrorCode.APP_NOT_FOUND, /iss/);
    assertRefused(`Bearer ${makeToken({ sub: "user_1", iss: "test", exp: NOW_S + 60, jti: "x" })}`, ErrorCode.TOKEN_INVALID, /aud/);
  });

  it("of an unknown, disabled or unwilling application is told so", () => {
    for (const iss of ["nobody", "", "constructor", "__proto__"]) assertRefused(bearer({ iss }), ErrorCode.APP_NOT_FOUND, /iss: no application/);
    assertRefused(bearer({ iss: "off" }), ErrorCode.APP_DISABLED, /disabled/);
    assertRefused(bearer({ iss: "signs" }), ErrorCode.NOT_AUTHORISED, /push_auth/);
  });
});
