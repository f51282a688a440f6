// POST /api/v1/messages: one message, its receivers, its data as written, its key.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { makeApp } from "../auth/apps.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, type Fixture, readMetric } from "./fixture.ts";

const PATH = "/api/v1/messages";
const PUSH = { accounts: ["user_1"], data: { text: "hi" } };

interface Problem {
  code: number;
  status: number;
  detail: string;
  request_id: string;
  retryable: boolean;
  errors?: { field: string; message: string }[];
}

async function post(fixture: Fixture, payload: object | string, headers: Record<string, string> = {}) {
  const response = await fixture.api.inject({
    method: "POST",
    url: PATH,
    payload,
    headers: { authorization: bearer(), "content-type": "application/json", ...headers },
  });
  return { status: response.statusCode, headers: response.headers, body: response.json<Problem>() };
}

describe("a push", () => {
  it("goes to every account named, with its data exactly as written", async () => {
    const fixture = await createFixture();
    const data = '{"id":12345678901234567890,\n "t":"\\u4f60", "id":1.0}';
    const { status, body } = await post(fixture, `{"data":{"x":1},"accounts":["a","用户:*","c.d"],"data":${data}}`);
    assert.deepEqual([status, body], [200, { msg_id: "msg-1", duplicate: false }]);
    assert.deepEqual(fixture.pushed, [
      {
        app: "test",
        targets: ["a", "用户:*", "c.d"].map((name) => ({ app: "test", kind: "account", name })),
        draft: { event: 0, data },
        key: undefined,
      },
    ]);
    assert.equal(fixture.authenticated, 1);
  });

  it("may carry an idempotency key, and says when it was seen before", async () => {
    const fixture = await createFixture({ apps: [makeApp({ nonceTtlMs: 1_000, nonceReuse: "allow_other_body" })] });
    fixture.answer = async () => ({ msgId: "first", duplicate: true, positions: [undefined] });
    assert.deepEqual((await post(fixture, { ...PUSH, idempotency_key: "k" })).body, { msg_id: "first", duplicate: true });
    assert.deepEqual(fixture.pushed[0]?.key, { kind: "idempotency_key", value: "k", ttlMs: 1_000, onOtherBody: "allow_other_body" });
  });

  it("answers where the message stands in each account's stream, in the order of the accounts", async () => {
    const fixture = await createFixture();
    const positions = [
      { epoch: "one", offset: 7, previous: "m" },
      { epoch: "two", offset: 1, previous: "" },
    ];
    fixture.answer = async () => ({ msgId: "m", duplicate: false, positions });
    const { body } = await post(fixture, { ...PUSH, accounts: ["b", "a"] });
    const streams = [
      { account: "b", epoch: "one", offset: 7 },
      { account: "a", epoch: "two", offset: 1 },
    ];
    assert.deepEqual(body, { msg_id: "m", duplicate: false, streams });
  });

  it("goes to accounts, rooms and everyone, and answers their streams in this order", async () => {
    const fixture = await createFixture();
    const positions = ["a", "r", "s", "all"].map((epoch, i) => ({ epoch, offset: i + 1, previous: "" }));
    fixture.answer = async () => ({ msgId: "m", duplicate: false, positions });
    const { status, body } = await post(fixture, { everyone: true, rooms: ["chat:1", "房间 😀"], accounts: ["a"], data: {} });
    assert.deepEqual(
      fixture.pushed[0]?.targets.map(({ kind, name }) => [kind, name]),
      [
        ["account", "a"],
        ["room", "chat:1"],
        ["room", "房间 😀"],
        ["app", ""],
      ],
    );
    const streams = [
      { account: "a", epoch: "a", offset: 1 },
      { room: "chat:1", epoch: "r", offset: 2 },
      { room: "房间 😀", epoch: "s", offset: 3 },
      { epoch: "all", offset: 4 },
    ];
    assert.deepEqual([status, body], [200, { msg_id: "m", duplicate: false, streams }]);
    fixture.answer = async () => ({ msgId: "m", duplicate: false, positions: [...positions.slice(0, 3), undefined] });
    assert.deepEqual((await post(fixture, { everyone: true, rooms: ["r", "s"], accounts: ["a"], data: {} })).body, { msg_id: "m", duplicate: false });
  });

  it("may go to rooms or to everyone alone", async () => {
    const fixture = await createFixture();
    assert.equal((await post(fixture, { rooms: ["chat:1"], data: {} })).status, 200);
    assert.equal((await post(fixture, { everyone: true, data: {} })).status, 200);
    assert.deepEqual(
      fixture.pushed.map(({ targets }) => targets),
      [[{ app: "test", kind: "room", name: "chat:1" }], [{ app: "test", kind: "app", name: "" }]],
    );
  });

  it("carries its key, the connection left out and the trace", async () => {
    const fixture = await createFixture();
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await post(fixture, { ...PUSH, key: "price", exclude: "c1", trace });
    await post(fixture, { ...PUSH, trace });
    assert.deepEqual(
      fixture.pushed.map(({ draft }) => draft),
      [
        { event: 0, data: '{"text":"hi"}', key: "price", exclude: "c1", trace },
        { event: 0, data: '{"text":"hi"}', trace },
      ],
    );
  });

  it("names no streams where the store keeps none", async () => {
    const fixture = await createFixture();
    fixture.answer = async () => ({ msgId: "m", duplicate: false, positions: [undefined, undefined] });
    assert.deepEqual((await post(fixture, { ...PUSH, accounts: ["b", "a"] })).body, { msg_id: "m", duplicate: false });
  });

  it("names each field that is wrong", async () => {
    const fixture = await createFixture();
    const cases: [object | string, string, string][] = [
      [{ data: {} }, "body", "must have accounts, rooms or everyone"],
      [{ accounts: ["a"] }, "body.data", "is missing"],
      [{ ...PUSH, accounts: "a" }, "body.accounts", "must be an array"],
      [{ ...PUSH, accounts: null }, "body.accounts", "must be an array"],
      [{ ...PUSH, accounts: [] }, "body.accounts", "must not be empty"],
      [{ ...PUSH, accounts: ["a", 1] }, "body.accounts[1]", "must be a string"],
      [{ ...PUSH, accounts: ["a", ""] }, "body.accounts[1]", "must not be empty"],
      [{ ...PUSH, accounts: ["a", "b", "a"] }, "body.accounts[2]", "repeats another item"],
      [{ ...PUSH, accounts: ["x".repeat(4_097)] }, "body.accounts[0]", "must not have more than 4096 characters"],
      [{ ...PUSH, accounts: Array.from({ length: 1_001 }, String) }, "body.accounts", "must not have more than 1000 items"],
      [{ ...PUSH, accounts: ["a\udc00"] }, "body.accounts[0]", "holds half of a surrogate pair, which UTF-8 cannot carry"],
      [{ ...PUSH, data: [] }, "body.data", "must be an object"],
      [{ ...PUSH, data: "{}" }, "body.data", "must be an object"],
      [{ ...PUSH, data: null }, "body.data", "must be an object"],
      [{ ...PUSH, idempotency_key: "" }, "body.idempotency_key", "must not be empty"],
      [{ ...PUSH, idempotency_key: 1 }, "body.idempotency_key", "must be a string"],
      [{ ...PUSH, idempotency_key: "x".repeat(129) }, "body.idempotency_key", "must not have more than 128 characters"],
      [{ rooms: [], data: {} }, "body.rooms", "must not be empty"],
      [{ rooms: "r", data: {} }, "body.rooms", "must be an array"],
      [{ rooms: ["r", ""], data: {} }, "body.rooms[1]", "must not be empty"],
      [{ rooms: ["r", 1], data: {} }, "body.rooms[1]", "must be a string"],
      [{ rooms: ["r", "s", "r"], data: {} }, "body.rooms[2]", "repeats another item"],
      [{ rooms: Array.from({ length: 101 }, (_, i) => `r${i}`), data: {} }, "body.rooms", "must not have more than 100 items"],
      [{ rooms: ["x".repeat(257)], data: {} }, "body.rooms[0]", "must not have more than 256 characters"],
      [{ rooms: ["😀".repeat(129)], data: {} }, "body.rooms[0]", "must be a text of 1 to 256 characters"],
      [{ rooms: ["r", "chat:*"], data: {} }, "body.rooms[1]", "must not hold a *"],
      [{ rooms: ["r\ud800"], data: {} }, "body.rooms[0]", "holds half of a surrogate pair, which UTF-8 cannot carry"],
      [{ everyone: false, data: {} }, "body.everyone", "must be true"],
      [{ ...PUSH, everyone: false }, "body.everyone", "must be true"],
      [{ ...PUSH, key: "" }, "body.key", "must not be empty"],
      [{ ...PUSH, key: "x".repeat(129) }, "body.key", "must not have more than 128 characters"],
      [{ ...PUSH, key: "\udc00" }, "body.key", "holds half of a surrogate pair, which UTF-8 cannot carry"],
      [{ ...PUSH, exclude: 7 }, "body.exclude", "must be a string"],
      [{ ...PUSH, exclude: "x".repeat(65) }, "body.exclude", "must not have more than 64 characters"],
      [{ ...PUSH, trace: "x".repeat(129) }, "body.trace", "must not have more than 128 characters"],
      [{ ...PUSH, trace: "\ud800" }, "body.trace", "holds half of a surrogate pair, which UTF-8 cannot carry"],
      [{ ...PUSH, idempotency_key: "\ud800" }, "body.idempotency_key", "holds half of a surrogate pair, which UTF-8 cannot carry"],
      [{ ...PUSH, ttl: 1 }, "body.ttl", "is not known"],
      [{ ...PUSH, ["x".repeat(200)]: 1 }, `body.${"x".repeat(64)}`, "is not known"],
      ['{"accounts":["a"],"data":{},"__proto__":{}}', "body.__proto__", "is not known"],
      ["[]", "body", "must be an object"],
      ["", "body", "must be an object"],
    ];
    for (const [payload, field, message] of cases) {
      const { status, headers, body } = await post(fixture, payload);
      assert.equal(status, 400, JSON.stringify(payload).slice(0, 200));
      assert.match(String(headers["content-type"]), /^application\/problem\+json/);
      assert.deepEqual(body.errors, [{ field, message }]);
      assert.equal(body.detail, `${field} ${message}`);
      assert.deepEqual([body.code, body.status, body.retryable, body.request_id], [400, 400, false, headers["x-request-id"]]);
    }
    assert.equal(fixture.pushed.length, 0);
  });

  it("tells every fault of a small body, and the first of one with very many", async () => {
    const fixture = await createFixture();
    const few = await post(fixture, { accounts: [1, 2], data: 1, x: 1 });
    assert.deepEqual(few.body.errors?.map(({ field }) => field).sort(), ["body.accounts[0]", "body.accounts[1]", "body.data", "body.x"]);
    const many = await post(fixture, { accounts: new Array<number>(5_000).fill(1), data: {} });
    assert.equal(many.status, 400);
    assert.equal(many.body.errors?.length, 1);
  });

  it("is refused when its data is too deep or too large", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { maxMessageBytes: 64 } })], limits: { jsonDepth: 3 } });
    const deep = await post(fixture, { ...PUSH, data: { a: [[[]]] } });
    assert.deepEqual([deep.status, deep.body.code, deep.body.detail], [400, ErrorCode.MESSAGE_INVALID, "body.data is nested deeper than 3 levels"]);
    assert.equal((await post(fixture, { ...PUSH, data: { a: [[]] } })).status, 200);
    const large = await post(fixture, { ...PUSH, data: { a: "x".repeat(60) } });
    assert.deepEqual([large.status, large.body.code, large.body.detail], [413, 413, "body.data is larger than 64 bytes"]);
  });

  it("is refused when the body is not UTF-8 JSON of the right size and type", async () => {
    const fixture = await createFixture({ limits: { bodyBytes: 300 } });
    const cases: [string | Buffer, Record<string, string>, number, RegExp][] = [
      ['{"accounts":["a"],"data":{"k":tru}}', {}, 400, /position 30/],
      [Buffer.from('{"accounts":["\xff"],"data":{}}', "latin1"), {}, 400, /UTF-8/],
      ["x".repeat(301), {}, 413, /larger/],
      ["accounts=a&data=%7B%7D", { "content-type": "application/x-www-form-urlencoded" }, 415, /only application\/json/],
      ["{}", { "content-type": "text/plain" }, 415, /content-type/],
      ["{}", { "content-encoding": "gzip" }, 415, /content-encoding/],
      ["{}", { "content-type": "application/problem+json" }, 415, /content-type/],
    ];
    for (const [payload, headers, status, detail] of cases) {
      const reply = await post(fixture, payload as string, headers);
      assert.equal(reply.status, status);
      assert.match(reply.body.detail, detail);
    }
    const bare = await fixture.api.inject({ method: "POST", url: PATH, headers: { authorization: bearer() } });
    assert.deepEqual([bare.statusCode, bare.json<Problem>().detail], [400, "body is missing"]);
  });

  it("needs a bearer token, checked before the body is read", async () => {
    const fixture = await createFixture({ apps: [makeApp(), makeApp({ key: "off", enabled: false }), makeApp({ key: "signs", pushAuth: new Set(["sign"]) })] });
    const cases: [string, number, ErrorCode][] = [
      ["", 401, ErrorCode.TOKEN_INVALID],
      ["Bearer abc", 401, ErrorCode.TOKEN_INVALID],
      [bearer({ iss: "nobody" }), 404, ErrorCode.APP_NOT_FOUND],
      [bearer({ iss: "off" }), 403, ErrorCode.APP_DISABLED],
      [bearer({ iss: "signs" }), 403, ErrorCode.NOT_AUTHORISED],
    ];
    for (const [authorization, status, code] of cases) {
      const { status: actual, headers, body } = await post(fixture, "not even JSON", { authorization });
      assert.deepEqual([actual, body.code], [status, code]);
      assert.equal(headers["www-authenticate"], status === 401 ? 'Bearer realm="xlvein"' : undefined);
    }
    assert.equal(fixture.authenticated, 0);
  });

  it("passes on what exchange and store answer", async () => {
    const fixture = await createFixture();
    const cases: [XlveinError, number, string | undefined][] = [
      [new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "down", { retryAfterSeconds: 2 }), 503, "2"],
      [new XlveinError(ErrorCode.STORE_UNAVAILABLE, "down"), 503, "1"],
      [new XlveinError(ErrorCode.KEY_REUSED, "used"), 409, undefined],
      [new XlveinError(ErrorCode.TIMEOUT, "slow"), 504, "1"],
    ];
    for (const [error, status, retryAfter] of cases) {
      fixture.answer = () => Promise.reject(error);
      const { status: actual, headers, body } = await post(fixture, PUSH);
      assert.deepEqual([actual, headers["retry-after"], body.code, body.retryable], [status, retryAfter, error.code, error.retryable]);
    }
  });

  it("hides what failed inside, and logs it under the request's id", async () => {
    const fixture = await createFixture();
    fixture.answer = () => Promise.reject(new Error("private detail"));
    const { status, body } = await post(fixture, PUSH);
    assert.deepEqual([status, body.code, body.detail, body.retryable], [500, 500, "internal error", true]);
    assert.ok(fixture.logged.some((line) => line.includes("private detail") && line.includes(body.request_id)));
  });

  it("is limited per application", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { pushesPerSecond: 1 } })] });
    assert.equal((await post(fixture, PUSH)).status, 200);
    const { status, headers, body } = await post(fixture, PUSH);
    assert.deepEqual([status, headers["retry-after"], body.code], [429, "1", ErrorCode.RATE_LIMITED]);
  });

  it("is counted by outcome", async () => {
    const fixture = await createFixture();
    await post(fixture, PUSH);
    await post(fixture, {});
    await post(fixture, PUSH, { authorization: bearer({ iss: "attacker-chosen" }) });
    const count = (app: string, code: number) => readMetric(fixture.metrics, `xlvein_push_requests_total{app="${app}",code="${code}"}`);
    assert.deepEqual([await count("test", 200), await count("test", 400), await count("other", 404)], [1, 1, 1]);
    assert.equal((await fixture.metrics.registry.metrics()).includes("attacker-chosen"), false);
  });
});
