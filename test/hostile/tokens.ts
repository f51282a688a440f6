// Tokens that must never open a socket.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { connectUrl, refused } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";
import type { Case } from "./case.ts";

const HS256 = { alg: "HS256", typ: "JWT" };
const NOW = Math.floor(Date.now() / 1000);
const CLAIMS = { sub: "mallory", exp: NOW + 3_600 };

const b64 = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function token(header: unknown, payload: unknown, secret = SECRET, hash = "sha256"): string {
  const signed = `${b64(header)}.${b64(payload)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

const claims = (changes: object) => token(HS256, { ...CLAIMS, ...changes });

function refusedToken(name: string, value: () => string, app = "test"): Case {
  return {
    name: `token: ${name} is refused`,
    async run({ url }) {
      const { status, body } = await refused(connectUrl(url, { app, token: value() }));
      assert.equal(status, 401, `answered ${status}`);
      assert.equal(body.error, 1000);
      assert.ok(body.message.length > 0 && !body.message.includes(SECRET));
    },
  };
}

const GOOD = token(HS256, CLAIMS);
const [head = "", body = "", signature = ""] = GOOD.split(".");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });

function rsaToken(): string {
  const signed = `${b64({ alg: "RS256", typ: "JWT", jwk: rsa.publicKey.export({ format: "jwk" }) })}.${body}`;
  return `${signed}.${signBytes("sha256", Buffer.from(signed), rsa.privateKey).toString("base64url")}`;
}

/** The last character changed so that it decodes to the same bytes. */
function malleable(): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return `${GOOD.slice(0, -1)}${alphabet[alphabet.indexOf(GOOD.at(-1) as string) ^ 1]}`;
}

const wrongTexts: Record<string, string> = {
  "one character": "x",
  "two dots": "..",
  "no signature": `${head}.${body}.`,
  "no dot before the signature": `${head}.${body}`,
  "no header": `.${body}.${signature}`,
  "no payload": `${head}..${signature}`,
  "four parts": `${GOOD}.x`,
  "five parts, as JWE has": `${GOOD}.x.y`,
  "a leading space": ` ${GOOD}`,
  "a trailing space": `${GOOD} `,
  "a trailing newline": `${GOOD}\n`,
  "a NUL": `${GOOD}\0`,
  "base64 padding": `${head}=.${body}.${signature}`,
  "a plus sign for a minus sign": GOOD.replaceAll("-", "+").replaceAll("_", "/").concat("+"),
  "a header that is not JSON": `${b64("{")}.${body}.${signature}`,
  "a header that is an array": token([], CLAIMS),
  "a header that is null": token(null, CLAIMS),
  "another payload under the signature": `${head}.${b64({ ...CLAIMS, sub: "admin" })}.${signature}`,
  "a truncated signature": GOOD.slice(0, -4),
  "a signature of zeros": `${head}.${body}.${"A".repeat(43)}`,
  "a longer signature": `${GOOD}AAAA`,
  "a malleable last character": malleable(),
  "5 KB of text": "a".repeat(5_000),
  "5 KB in three parts": `${"a".repeat(1_700)}.${"a".repeat(1_700)}.${"a".repeat(1_700)}`,
  "text beyond ASCII": "жетон.ключ.подпись",
  "an emoji": "😀.😀.😀",
  "a valid token of 6 KB": claims({ pad: "x".repeat(4_500) }),
};

const headers: Record<string, unknown> = {
  "alg none": { alg: "none" },
  "alg None": { alg: "None" },
  "alg nOnE": { alg: "nOnE" },
  "alg empty": { alg: "" },
  "no alg": { typ: "JWT" },
  "alg null": { alg: null },
  "alg as a number": { alg: 256 },
  "alg as an array": { alg: ["HS256"] },
  "alg hs256 in lower case": { alg: "hs256" },
  "alg ES256": { alg: "ES256" },
  "alg PS256": { alg: "PS256" },
  "alg EdDSA": { alg: "EdDSA" },
  "alg dir": { alg: "dir" },
  "crit unknown": { ...HS256, crit: ["exp"], exp: 1 },
  "crit b64": { ...HS256, crit: ["b64"], b64: false },
};

const payloads: Record<string, unknown> = {
  null: null,
  "an array": [],
  "a string": "mallory",
  "a number": 1,
  "no sub": { exp: NOW + 60 },
  "sub null": { ...CLAIMS, sub: null },
  "sub empty": { ...CLAIMS, sub: "" },
  "sub as a number": { ...CLAIMS, sub: 1 },
  "sub as an object": { ...CLAIMS, sub: { toString: "x" } },
  "sub as an array": { ...CLAIMS, sub: ["mallory"] },
  "sub as a boolean": { ...CLAIMS, sub: true },
  "exp in the past": { ...CLAIMS, exp: NOW - 60 },
  "exp 0": { ...CLAIMS, exp: 0 },
  "exp negative": { ...CLAIMS, exp: -1 },
  "exp as text": { ...CLAIMS, exp: String(NOW + 60) },
  "exp null": { ...CLAIMS, exp: null },
  "exp as an object": { ...CLAIMS, exp: {} },
  "nbf in the future": { ...CLAIMS, nbf: NOW + 60 },
  "nbf as text": { ...CLAIMS, nbf: "now" },
  "iat in the future": { ...CLAIMS, iat: NOW + 60 },
  "iat as text": { ...CLAIMS, iat: "now" },
  "iat null": { ...CLAIMS, iat: null },
  "aud of the API": { ...CLAIMS, aud: "xlvein-api" },
  "aud of a room": { ...CLAIMS, aud: "xlvein-room" },
  "aud of another application": { ...CLAIMS, aud: "test2" },
  "aud as a list without the application": { ...CLAIMS, aud: ["a", "b"] },
  "aud as a number": { ...CLAIMS, aud: 1 },
};

export const tokens: Case[] = [
  ...Object.entries(wrongTexts).map(([name, text]) => refusedToken(name, () => text)),
  ...Object.entries(headers).map(([name, header]) => refusedToken(`header with ${name}`, () => token(header, CLAIMS))),
  ...Object.entries(payloads).map(([name, payload]) => refusedToken(`payload with ${name}`, () => token(HS256, payload))),
  refusedToken("alg none without a signature", () => `${b64({ alg: "none" })}.${body}.`),
  refusedToken("HS384, signed well", () => token({ alg: "HS384" }, CLAIMS, SECRET, "sha384")),
  refusedToken("HS512, signed well", () => token({ alg: "HS512" }, CLAIMS, SECRET, "sha512")),
  refusedToken("HS256 named, HS512 signed", () => token(HS256, CLAIMS, SECRET, "sha512")),
  refusedToken("RS256 with its own key inside", rsaToken),
  refusedToken("kid that walks to a file", () => token({ ...HS256, kid: "../../../../dev/null" }, CLAIMS, "")),
  refusedToken("kid with an injection", () => token({ ...HS256, kid: "' UNION SELECT 'x" }, CLAIMS, "x")),
  refusedToken("jku to somewhere", () => token({ ...HS256, jku: "http://127.0.0.1:1/keys" }, CLAIMS, "x")),
  refusedToken("x5u to somewhere", () => token({ ...HS256, x5u: "http://127.0.0.1:1/cert" }, CLAIMS, "x")),
  refusedToken("jwk with the attacker's secret", () => token({ ...HS256, jwk: { kty: "oct", k: b64("x") } }, CLAIMS, "x")),
  refusedToken("an empty secret", () => token(HS256, CLAIMS, "")),
  refusedToken("the secret with a newline", () => token(HS256, CLAIMS, `${SECRET}\n`)),
  refusedToken("the app_key as the secret", () => token(HS256, CLAIMS, "test")),
  refusedToken("another application's secret", () => token(HS256, CLAIMS, `${SECRET}2`)),
  refusedToken("another application's token", () => GOOD, "test2"),
];
