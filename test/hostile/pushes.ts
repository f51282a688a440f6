// Pushes that must be refused with an error that names what is wrong, and hurt nobody.
import assert from "node:assert/strict";
import { apiToken } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";
import type { Case } from "./case.ts";

interface Reply {
  status: number;
  code: number;
  message: string;
}

async function post(url: string, body: string | Uint8Array<ArrayBuffer>, type: string, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": type, ...headers }, body });
  const answer = (await response.json()) as { error?: number; message?: string; code?: number; detail?: string };
  return { status: response.status, code: answer.error ?? answer.code ?? -1, message: answer.message ?? answer.detail ?? "" };
}

/** A classic push that is refused with one of the codes, and HTTP 200. */
function classic(name: string, codes: readonly number[], body: string | Uint8Array<ArrayBuffer>, type = "application/json", mentions = /./): Case {
  return {
    name: `push: ${name} answers error ${codes.join(" or ")}`,
    async run({ url }) {
      const { status, code, message } = await post(`${url}/api/v1/im/push`, body, type);
      assert.equal(status, 200);
      assert.ok(codes.includes(code), `error ${code}: ${message}`);
      assert.match(message, mentions);
      assert.ok(!message.includes(SECRET));
    },
  };
}

/** A push to the new path that is refused with the status. */
function refused(
  name: string,
  status: number,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  mentions = /./,
  path = "/api/v1/messages",
): Case {
  return {
    name: `push: ${name} answers ${status}`,
    async run({ url }) {
      const reply = await post(`${url}${path}`, body, "application/json", { authorization: `Bearer ${apiToken()}`, ...headers });
      assert.equal(reply.status, status, reply.message);
      assert.match(reply.message, mentions);
      assert.ok(!reply.message.includes(SECRET));
    },
  };
}

const FIELDS = { app_key: "test", send_to: "nobody", message: "{}", nonce: "n" };
const fields = (changes: object) => JSON.stringify({ ...FIELDS, ...changes });
const form = (changes: Record<string, string>) => new URLSearchParams({ ...FIELDS, ...changes }).toString();
const FORM = "application/x-www-form-urlencoded";
const wrongTypes = [null, 1, true, [], {}, ["nobody"]];
const message = (changes: object) => JSON.stringify({ accounts: ["nobody"], data: {}, ...changes });
const deep = (n: number) => `${'{"d":'.repeat(n)}1${"}".repeat(n)}`;

export const pushes: Case[] = [
  ...Object.keys(FIELDS).map((field) =>
    classic(`JSON without ${field}`, [400], JSON.stringify({ ...FIELDS, [field]: undefined }), "application/json", new RegExp(field)),
  ),
  ...Object.keys(FIELDS).map((field) => classic(`a form without ${field}`, [400], form({ [field]: "" }), FORM, new RegExp(field))),
  ...["app_key", "send_to", "nonce", "sign"].flatMap((field) =>
    wrongTypes.map((value) => classic(`${field} as ${JSON.stringify(value)}`, [400], fields({ [field]: value }), "application/json", new RegExp(field))),
  ),
  ...[null, 1, true, []].map((value) => classic(`message as ${JSON.stringify(value)}`, [400, 1003], fields({ message: value }), "application/json", /message/)),
  ...["[]", "null", "1", '"x"', "{", "{}{}", "{'a':1}", "", " ", "x", '{"a":NaN}', '{"a":1,}'].map((text) =>
    classic(`message text ${text}`, [400, 1003], fields({ message: text }), "application/json", /message/),
  ),
  classic("a message 100 deep", [1003], fields({ message: deep(100) })),
  classic("a message 5,000 deep", [1003], fields({ message: deep(5_000) })),
  classic("a message object 10,000 deep", [1003], `{"app_key":"test","send_to":"x","nonce":"n","message":${deep(10_000)}}`),
  classic("a message of 70 KB", [413], fields({ message: JSON.stringify({ s: "x".repeat(70_000) }) })),
  classic("a body of 2 MB", [413], fields({ message: JSON.stringify({ s: "x".repeat(2_000_000) }) })),
  classic("an unknown application", [1001], fields({ app_key: "nobody" })),
  ...["constructor", "__proto__", "hasOwnProperty"].map((key) => classic(`application ${key}`, [1001], fields({ app_key: key }))),
  classic("a wrong sign", [1002], fields({ sign: "0".repeat(32) })),
  classic("a short sign", [1002], fields({ sign: "A" })),
  classic("an empty sign on an application that demands one", [400, 1002, 1004], fields({ app_key: "test2", sign: "" })),
  classic("no sign on an application that demands one", [400, 1002, 1004], fields({ app_key: "test2" })),
  classic("a nonce of 300 characters", [400], fields({ nonce: "n".repeat(300) }), "application/json", /nonce/),
  classic("a receiver of 5,000 characters", [400], fields({ send_to: "x".repeat(5_000) }), "application/json", /send_to/),
  classic("a body that is not JSON", [400], "{"),
  classic("an empty body", [400], ""),
  classic("a JSON array", [400], "[]"),
  classic("JSON null", [400], "null"),
  classic("a JSON string", [400], '"x"'),
  classic("JSON that is not UTF-8", [400], Buffer.from('{"app_key":"te\xff"}', "latin1")),
  classic("a form without a pair", [400], "&&&==", FORM),
  classic("a form with broken escapes", [400], "app_key=%&send_to=%zz&message=%e0%a4&nonce=n", FORM),
  classic("a form of 10,000 pairs", [400], "a=b&".repeat(10_000), FORM),
  classic("a form that names fields twice", [400, 1001, 1003], "app_key=test&app_key=test2&send_to=x&send_to=y&message={}&nonce=n", FORM),
  classic("PHP-style brackets", [400], "app_key[]=test&send_to[a]=x&message={}&nonce=n", FORM),
  classic("XML", [415], "<xml/>", "application/xml"),
  classic("a multipart form", [415], "--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
  classic("text", [415], "{}", "text/plain"),
  classic("__proto__ as a member", [400], '{"__proto__":{"app_key":"test"},"send_to":"x","message":"{}","nonce":"n"}'),

  refused("no token", 401, message({}), { authorization: "" }),
  refused("basic authentication", 401, message({}), { authorization: "Basic dGVzdDp0ZXN0" }),
  refused("a bearer without a token", 401, message({}), { authorization: "Bearer " }),
  refused("a bearer of garbage", 401, message({}), { authorization: "Bearer a.b.c" }),
  refused("a bearer of 10 KB", 401, message({}), { authorization: `Bearer ${"a".repeat(10_000)}` }),
  ...wrongTypes
    .filter((value) => !Array.isArray(value) || value.length === 0)
    .map((value) => refused(`accounts as ${JSON.stringify(value)}`, 400, message({ accounts: value }), {}, /accounts/)),
  ...[null, 1, "", {}, []].map((value) => refused(`an account ${JSON.stringify(value)}`, 400, message({ accounts: ["a", value] }), {}, /accounts/)),
  refused("1,001 accounts", 400, message({ accounts: Array.from({ length: 1_001 }, (_, i) => `a${i}`) }), {}, /accounts/),
  refused("an account twice", 400, message({ accounts: ["a", "a"] }), {}, /accounts/),
  ...[null, 1, "x", true, [], undefined].map((value) => refused(`data as ${JSON.stringify(value)}`, 400, message({ data: value }), {}, /data/)),
  refused("data 100 deep", 400, `{"accounts":["a"],"data":${deep(100)}}`),
  refused("data of 70 KB", 413, message({ data: { s: "x".repeat(70_000) } })),
  refused("an unknown member", 400, message({ acounts: [] }), {}, /acounts/),
  ...[null, 1, "", {}, "k".repeat(129)].map((value) =>
    refused(`idempotency_key ${JSON.stringify(value).slice(0, 10)}`, 400, message({ idempotency_key: value }), {}, /idempotency_key/),
  ),
  refused("broken JSON", 400, '{"accounts":["a"],'),
  refused("an empty batch", 400, '{"messages":[]}', {}, /messages/, "/api/v1/messages/batch"),
  refused(
    "a batch of 1,001",
    400,
    JSON.stringify({ messages: Array.from({ length: 1_001 }, () => ({ accounts: ["a"], data: {} })) }),
    {},
    /messages/,
    "/api/v1/messages/batch",
  ),
  refused("a batch that is no list", 400, '{"messages":{}}', {}, /messages/, "/api/v1/messages/batch"),
  refused("gzip that is not", 415, message({}), { "content-encoding": "gzip" }),
];
