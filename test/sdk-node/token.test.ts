// Connect tokens and connect URLs, against the shared vectors and against the rules a server checks by.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createXlvein, type XlveinOptions } from "../../sdk-node/src/index.ts";
import { sign } from "../../sdk-node/src/sign.ts";
import { TokenError, verifyConnectToken } from "../../server/src/auth/connect-token.ts";
import { verifyRoomToken } from "../../server/src/auth/room-token.ts";
import { makeApp } from "../auth/apps.ts";

const SECRET = "j8jasd98efan9sdfj89asjdf";
const NOW_MS = 1_700_000_000_500;

function create(options: Partial<XlveinOptions> = {}): ReturnType<typeof createXlvein> {
  return createXlvein({ url: "http://127.0.0.1:8090", appKey: "test", appSecret: SECRET, now: () => NOW_MS, ...options });
}

/** Reads a token by RFC 7515 alone, and checks its HS256 signature. */
function decode(token: string, secret = SECRET): { header: unknown; payload: Record<string, unknown> } {
  const [header = "", payload = "", signature = ""] = token.split(".");
  assert.equal(createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url"), signature);
  const parse = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString());
  return { header: parse(header), payload: parse(payload) };
}

async function vectors<T>(name: string): Promise<T[]> {
  const text = await readFile(new URL(`../vectors/${name}.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as { vectors: T[] }).vectors;
}

test("a token names the account, lasts 30 days and is signed with HS256", () => {
  const { header, payload } = decode(create().token("user_1"));
  assert.deepEqual(header, { alg: "HS256", typ: "JWT" });
  assert.deepEqual(payload, { sub: "user_1", iat: 1_700_000_000, exp: 1_700_000_000 + 30 * 24 * 3600 });
});

test("a token has the form of the shared vectors", async () => {
  interface Vector {
    secret: string;
    token: string;
    header: unknown;
    payload: { exp: number; iss: string; sub: string };
    account: string;
    now_seconds: number;
  }
  const all = await vectors<Vector>("token");
  assert.ok(all.length > 0);
  for (const { secret, token, header, payload, account, now_seconds } of all) {
    assert.deepEqual(decode(token, secret), { header, payload }, "the vector reads as it says");
    const client = create({ appSecret: secret, now: () => now_seconds * 1000 });
    const { sub, exp, iat, ...claims } = payload as Record<string, unknown> & typeof payload;
    const made = client.token(account, { expiresInSeconds: exp - now_seconds, claims });
    assert.deepEqual(decode(made, secret), { header, payload: { ...payload, iat: now_seconds } });
    assert.equal(sub, account);
    assert.equal(iat, undefined);
  }
});

test("a token takes another lifetime and further claims", () => {
  const { payload } = decode(create().token("用户 & 😀", { expiresInSeconds: 60, claims: { iss: "shop", level: 3, aud: ["web"] } }));
  assert.deepEqual(payload, { sub: "用户 & 😀", iat: 1_700_000_000, exp: 1_700_000_060, iss: "shop", level: 3, aud: ["web"] });
});

test("a token names the rooms that its client may enter, and what the client may do", () => {
  const { payload } = decode(create().token("user_1", { rooms: ["chat:1", "news:*"], can: ["publish"], expiresInSeconds: 60 }));
  assert.deepEqual(payload, { sub: "user_1", iat: 1_700_000_000, exp: 1_700_000_060, rooms: ["chat:1", "news:*"], can: ["publish"] });
  assert.deepEqual(decode(create().token("user_1", { rooms: [], can: [] })).payload.can, [], "no right at all is said");
  const url = new URL(create().connectUrl("user_1", { rooms: ["chat:1"] }));
  assert.deepEqual(decode(url.searchParams.get("token") ?? "").payload.rooms, ["chat:1"]);
});

test("a server takes the tokens for what they say", () => {
  const app = makeApp();
  const check = { nowMs: NOW_MS, maxBytes: 4_096 };
  const { account, expiresAtMs, rights, rooms } = verifyConnectToken(app, create().token("user_1", { rooms: ["chat:1", "news:*"], can: ["publish"] }), check);
  assert.deepEqual([account, expiresAtMs, [...rights], rooms.named], ["user_1", 1_702_592_000_000, ["publish"], ["chat:1"]]);
  assert.deepEqual(
    ["chat:1", "news:sport", "chat:2"].map((room) => rooms.opens(room)),
    [true, true, false],
  );
  const token = create().roomToken("用户 😀", "chat:1");
  assert.equal(verifyRoomToken(app, token, "用户 😀", "chat:1", check).expiresAtMs, 1_700_003_600_000);
  assert.throws(() => verifyRoomToken(app, token, "用户 😀", "chat:2", check), TokenError);
  assert.throws(() => verifyConnectToken(app, token, check), TokenError);
});

test("a room token names one account and one room, and lasts an hour unless told", () => {
  const claims = { aud: "xlvein-room", sub: "用户 😀", room: "chat:1", iat: 1_700_000_000 };
  assert.deepEqual(decode(create().roomToken("用户 😀", "chat:1")).payload, { ...claims, exp: 1_700_003_600 });
  assert.deepEqual(decode(create().roomToken("用户 😀", "chat:1", { expiresInSeconds: 60 })).payload, { ...claims, exp: 1_700_000_060 });
});

for (const [what, call, message] of [
  ["an empty account", () => create().token(""), /token: account must be a non-empty string/],
  ["a numeric account", () => create().token(7 as unknown as string), /token: account must be a non-empty string/],
  ["a lifetime of none", () => create().token("u", { expiresInSeconds: 0 }), /token: expiresInSeconds must be 1 to/],
  ["a lifetime in milliseconds of a date", () => create().token("u", { expiresInSeconds: Date.now() }), /token: expiresInSeconds must be 1 to/],
  ["a lifetime as text", () => create().token("u", { expiresInSeconds: "1h" as unknown as number }), /token: expiresInSeconds must be a whole number/],
  ["another subject among the claims", () => create().token("u", { claims: { sub: "admin" } }), /token: claims\.sub is set by token\(\) itself/],
  ["another end among the claims", () => create().token("u", { claims: { exp: 1 } }), /token: claims\.exp is set by token\(\) itself/],
  ["the audience of API tokens", () => create().token("u", { claims: { aud: "xlvein-api" } }), /claims\.aud "xlvein-api" is for API tokens/],
  ["the audience of API tokens in a list", () => create().token("u", { claims: { aud: ["web", "xlvein-api"] } }), /claims\.aud "xlvein-api" is for API tokens/],
  ["the audience of room tokens", () => create().token("u", { claims: { aud: "xlvein-room" } }), /claims\.aud "xlvein-room" is for room tokens/],
  ["rooms among the claims", () => create().token("u", { claims: { rooms: [] } }), /token: claims\.rooms is an option of its own: give it as `rooms`/],
  ["rights among the claims", () => create().token("u", { claims: { can: [] } }), /token: claims\.can is an option of its own: give it as `can`/],
  ["rooms as text", () => create().token("u", { rooms: "chat:1" as unknown as string[] }), /token: rooms must be an array/],
  ["an empty room of a token", () => create().token("u", { rooms: ["r", ""] }), /token: rooms\[1\] must be a non-empty string/],
  ["a pattern of 257 characters", () => create().token("u", { rooms: ["x".repeat(257)] }), /token: rooms\[0\] must have at most 256 characters/],
  ["101 rooms", () => create().token("u", { rooms: Array.from({ length: 101 }, () => "r") }), /RangeError: token: rooms must hold at most 100/],
  ["rights as text", () => create().token("u", { can: "publish" as unknown as [] }), /token: can must be an array/],
  ["an unknown right", () => create().token("u", { can: ["publsh" as "publish"] }), /token: can\[0\] must be one of direct, publish, history/],
  ["a room token for nobody", () => create().roomToken("", "r"), /roomToken: account must be a non-empty string/],
  ["a room token for no room", () => create().roomToken("u", ""), /roomToken: room must be a non-empty string/],
  ["a room token for a pattern", () => create().roomToken("u", "chat:*"), /roomToken: room must not hold a \*/],
  ["a room token without an end", () => create().roomToken("u", "r", { expiresInSeconds: 0 }), /roomToken: expiresInSeconds must be 1 to/],
  ["claims that are a list", () => create().token("u", { claims: [] as unknown as Record<string, unknown> }), /token: claims must be an object/],
  ["an empty device", () => create().connectUrl("u", { deviceId: "" }), /connectUrl: deviceId must be a non-empty string/],
] as const)
  test(`${what} is refused with its name`, () => {
    assert.throws(call, message);
  });

const ADDRESSES: [string, string][] = [
  ["http://127.0.0.1:8090", "ws://127.0.0.1:8090/ws/connect"],
  ["http://127.0.0.1:8090/", "ws://127.0.0.1:8090/ws/connect"],
  ["ws://127.0.0.1:8090", "ws://127.0.0.1:8090/ws/connect"],
  ["https://push.example.com", "wss://push.example.com/ws/connect"],
  ["wss://push.example.com:8443/", "wss://push.example.com:8443/ws/connect"],
  ["https://example.com/push/live//", "wss://example.com/push/live/ws/connect"],
  ["HTTPS://Example.com/push", "wss://example.com/push/ws/connect"],
  ["wss://example.com/push/ws/connect", "wss://example.com/push/ws/connect"],
  ["http://[::1]:8090", "ws://[::1]:8090/ws/connect"],
];

for (const [url, expected] of ADDRESSES) {
  test(`${url} gives the connect URL ${expected}`, () => {
    const connectUrl = new URL(create({ url }).connectUrl("user_1"));
    assert.equal(connectUrl.href.split("?")[0], expected);
    assert.deepEqual([...connectUrl.searchParams.keys()], ["app_id", "token"]);
    assert.equal(connectUrl.searchParams.get("app_id"), "test");
    assert.equal(decode(connectUrl.searchParams.get("token") ?? "").payload.sub, "user_1");
  });
}

test("a connect URL takes a device, a lifetime, claims and the public address, and escapes what must be", () => {
  const client = create({ appKey: "a&b=c", publicUrl: "https://push.example.com/x" });
  const url = new URL(client.connectUrl("user_1", { deviceId: "my phone&", expiresInSeconds: 5, claims: { level: 1 } }));
  assert.equal(url.origin + url.pathname, "wss://push.example.com/x/ws/connect");
  assert.equal(url.searchParams.get("app_id"), "a&b=c");
  assert.equal(url.searchParams.get("device_id"), "my phone&");
  assert.deepEqual(decode(url.searchParams.get("token") ?? "").payload, { sub: "user_1", level: 1, iat: 1_700_000_000, exp: 1_700_000_005 });
});

test("the classic signature is that of the shared vectors", async () => {
  interface Vector {
    secret: string;
    app_key: string;
    send_to: string;
    message: string;
    nonce: string;
    sign: string;
  }
  const all = await vectors<Vector>("sign");
  assert.ok(all.length >= 4);
  for (const { secret, sign: expected, ...fields } of all) assert.equal(sign(fields, secret), expected);
});
