// Tokens made in the page, checked with the library that the server checks them with.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import jwt from "jsonwebtoken";
import { API_TOKEN_SECONDS, CONNECT_TOKEN_SECONDS, makeApiToken, makeConnectToken, readConnectToken } from "../../server/console/token.ts";

const SECRET = "s3cr3t with 中文 & =";
const vectors = JSON.parse(readFileSync(new URL("../vectors/token.json", import.meta.url), "utf8")) as {
  vectors: { token: string; account: string; now_seconds: number; payload: { exp: number } }[];
};

test("a connect token is signed with the secret, names the account, and ends after a day", async () => {
  const now = Math.floor(Date.now() / 1000);
  const claims = jwt.verify(await makeConnectToken(SECRET, "用户_1", now * 1000), SECRET, { algorithms: ["HS256"] });
  assert.deepEqual(claims, { sub: "用户_1", iat: now, exp: now + CONNECT_TOKEN_SECONDS });
});

test("an API token is for the API, in the application's name, for less than five minutes, and unlike any other", async () => {
  const now = Math.floor(Date.now() / 1000);
  const make = () => makeApiToken(SECRET, "test", now * 1000);
  const verify = (token: string) => jwt.verify(token, SECRET, { algorithms: ["HS256"], audience: "xlvein-api", issuer: "test" }) as jwt.JwtPayload;
  const [one, two] = [verify(await make()), verify(await make())];
  assert.equal(one.exp, now + API_TOKEN_SECONDS);
  assert.ok(API_TOKEN_SECONDS < 300);
  assert.match(one.jti ?? "", /^[\w-]{16}$/);
  assert.notEqual(one.jti, two.jti);
});

test("without a secret no token is made, and the sentence says where to give it", async () => {
  await assert.rejects(makeConnectToken("", "user_1", 0), { name: "TokenFault", message: /app secret at the top of the page/ });
});

test("without WebCrypto, as on a page from http and another machine, the sentence says what to do", async (t) => {
  t.mock.getter(globalThis.crypto, "subtle", () => undefined);
  await assert.rejects(makeApiToken(SECRET, "test", 0), { name: "TokenFault", message: /https pages and on localhost.+paste a token/ });
});

test("a token is read as the vectors say, and refused once it has expired", () => {
  assert.ok(vectors.vectors.length > 0);
  for (const { token, account, now_seconds, payload } of vectors.vectors) {
    assert.deepEqual(readConnectToken(token, now_seconds * 1000), { account, expiresAt: payload.exp });
    assert.throws(() => readConnectToken(token, payload.exp * 1000), { name: "TokenFault", message: /expired on .+Make a new one/ });
  }
});

test("a token without an end is read, too", () => {
  assert.deepEqual(readConnectToken(jwt.sign({ sub: "u" }, "s", { noTimestamp: true }), Date.now()), { account: "u" });
});

for (const [what, token, sentence] of [
  ["nonsense", "nonsense", /three parts/],
  ["a cut token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi.x", /cannot be read/],
  ["one whose middle is a list of text", `x.${btoa('"text"')}.x`, /cannot be read/],
  ["one with bytes that are not UTF-8", `x.${btoa("\xff\xfe")}.x`, /cannot be read/],
  ["one without an account", jwt.sign({ exp: 9e9 }, "s"), /names no account/],
  ["one with a number for an account", `x.${btoa('{"sub":1}')}.x`, /names no account/],
  ["one whose end is text", `x.${btoa('{"sub":"u","exp":"soon"}')}.x`, /`exp`.+not a number/],
  ["an API token", jwt.sign({ sub: "u", aud: "xlvein-api" }, "s"), /API token/],
] as const) {
  test(`pasting ${what} is answered with a sentence`, () => {
    assert.throws(() => readConnectToken(token, Date.now()), { name: "TokenFault", message: sentence });
  });
}
