// POST /api/v1/messages/batch: each message has its own result, and accounts keep their order.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Published } from "../../server/src/publish/publish.ts";
import { makeApp } from "../auth/apps.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, type Fixture, readMetric } from "./fixture.ts";

type Result = { msg_id: string; duplicate: boolean } | { error: { code: number; message: string; retryable: boolean } };

async function post(fixture: Fixture, payload: object | string) {
  const response = await fixture.api.inject({
    method: "POST",
    url: "/api/v1/messages/batch",
    payload,
    headers: { authorization: bearer(), "content-type": "application/json" },
  });
  return { status: response.statusCode, headers: response.headers, body: response.json<{ results: Result[]; detail: string; errors: { field: string }[] }>() };
}

const to = (...accounts: string[]) => ({ accounts, data: {} });

describe("a batch", () => {
  it("pushes every message with its own data, as written, and its own key", async () => {
    const fixture = await createFixture();
    const { status, body } = await post(
      fixture,
      '{"messages":[{"accounts":["a"],"data":{"n":12345678901234567890}}, {"data":{ "m" : 1.0 },"accounts":["b","c"],"idempotency_key":"k"}]}',
    );
    assert.deepEqual(
      [status, body],
      [
        200,
        {
          results: [
            { msg_id: "msg-1", duplicate: false },
            { msg_id: "msg-2", duplicate: false },
          ],
        },
      ],
    );
    assert.deepEqual(
      fixture.pushed.map(({ draft, targets, key }) => [draft.data, targets.map(({ name }) => name), key?.value]),
      [
        ['{"n":12345678901234567890}', ["a"], undefined],
        ['{ "m" : 1.0 }', ["b", "c"], "k"],
      ],
    );
  });

  it("answers the streams of each message beside its failures", async () => {
    const fixture = await createFixture();
    fixture.answer = async ({ targets }) => ({
      msgId: "m",
      duplicate: false,
      positions: targets.map(({ name }) => ({ epoch: `e-${name}`, offset: 2, previous: "" })),
    });
    const { body } = await post(fixture, { messages: [to("a"), {}, to("b", "c")] });
    const stream = (account: string) => ({ account, epoch: `e-${account}`, offset: 2 });
    assert.deepEqual(body.results[0], { msg_id: "m", duplicate: false, streams: [stream("a")] });
    assert.ok("error" in (body.results[1] ?? {}));
    assert.deepEqual(body.results[2], { msg_id: "m", duplicate: false, streams: [stream("b"), stream("c")] });
  });

  it("lets a bad message fail alone, naming its place", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { maxMessageBytes: 64 } })], limits: { jsonDepth: 2 } });
    const cases: [unknown, ErrorCode, string][] = [
      [7, ErrorCode.BAD_REQUEST, "must be an object"],
      [null, ErrorCode.BAD_REQUEST, "must be an object"],
      [[], ErrorCode.BAD_REQUEST, "must be an object"],
      [{ data: {} }, ErrorCode.BAD_REQUEST, "must have accounts, rooms or everyone"],
      [{ rooms: ["chat:*"], data: {} }, ErrorCode.BAD_REQUEST, ".rooms[0] must not hold a *"],
      [{ accounts: ["a", 1], data: {} }, ErrorCode.BAD_REQUEST, ".accounts[1] must be a string"],
      [{ accounts: ["a", "a"], data: {} }, ErrorCode.BAD_REQUEST, ".accounts[1] repeats another item"],
      [{ accounts: ["a\ud800"], data: {} }, ErrorCode.BAD_REQUEST, ".accounts[0] holds half of a surrogate pair, which UTF-8 cannot carry"],
      [{ accounts: ["a"], data: [] }, ErrorCode.BAD_REQUEST, ".data must be an object"],
      [{ accounts: ["a"], data: {}, ttl: 1 }, ErrorCode.BAD_REQUEST, ".ttl is not known"],
      [{ accounts: ["a"], data: { a: [[]] } }, ErrorCode.MESSAGE_INVALID, ".data is nested deeper than 2 levels"],
      [{ accounts: ["a"], data: { a: "x".repeat(99) } }, ErrorCode.PAYLOAD_TOO_LARGE, ".data is larger than 64 bytes"],
    ];
    const { status, body } = await post(fixture, { messages: [to("good"), ...cases.map(([message]) => message), to("good")] });
    assert.equal(status, 200);
    assert.deepEqual(
      [body.results.at(0), body.results.at(-1)],
      [
        { msg_id: "msg-1", duplicate: false },
        { msg_id: "msg-2", duplicate: false },
      ],
    );
    for (const [i, [, code, message]] of cases.entries()) {
      const place = `body.messages[${i + 1}]${message.startsWith(".") ? "" : " "}`;
      assert.deepEqual(body.results[i + 1], { error: { code, message: place + message, retryable: false } });
    }
    const count = (code: number) => readMetric(fixture.metrics, `xlvein_push_requests_total{app="test",code="${code}"}`);
    assert.deepEqual([await count(200), await count(400), await count(413)], [2, cases.length - 1, 1]);
  });

  it("is refused whole when the batch itself is malformed", async () => {
    const fixture = await createFixture();
    const cases: [object | string, string][] = [
      [{}, "body.messages is missing"],
      [{ messages: {} }, "body.messages must be an array"],
      [{ messages: [] }, "body.messages must not be empty"],
      [{ messages: [to("a")], more: 1 }, "body.more is not known"],
      [{ messages: new Array<object>(1_001).fill(to("a")) }, "body.messages must not have more than 1000 items"],
      ["[]", "body must be an object"],
      ['{"messages":[}', "body is not valid JSON: fault at position 13"],
    ];
    for (const [payload, detail] of cases) {
      const { status, body } = await post(fixture, payload);
      assert.deepEqual([status, body.detail], [400, detail]);
    }
    assert.equal(fixture.pushed.length, 0);
  });

  it("keeps the order to each account while different accounts do not wait for each other", async () => {
    const fixture = await createFixture();
    const waiting: ((published: Published) => void)[] = [];
    fixture.answer = () => new Promise((resolve) => void waiting.push(resolve));
    const names = () => fixture.pushed.map(({ targets }) => targets.map(({ name }) => name).join());
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const reply = post(fixture, { messages: [to("a"), to("b"), to("a"), to("b", "c"), to("c")] });
    while (fixture.pushed.length < 2) await settle();
    await settle();
    assert.deepEqual(names(), ["a", "b"]);
    waiting[1]?.({ msgId: "2", duplicate: false, positions: [] });
    await settle();
    assert.deepEqual(names(), ["a", "b", "b,c"]);
    waiting[0]?.({ msgId: "1", duplicate: false, positions: [] });
    await settle();
    assert.deepEqual(names(), ["a", "b", "b,c", "a"]);
    waiting[2]?.({ msgId: "4", duplicate: false, positions: [] });
    await settle();
    assert.deepEqual(names(), ["a", "b", "b,c", "a", "c"]);
    waiting[3]?.({ msgId: "3", duplicate: false, positions: [] });
    waiting[4]?.({ msgId: "5", duplicate: true, positions: [] });
    const { body } = await reply;
    assert.deepEqual(
      body.results,
      ["1", "2", "3", "4", "5"].map((msg_id) => ({ msg_id, duplicate: msg_id === "5" })),
    );
  });

  it("keeps the order to each room and to everyone, too", async () => {
    const fixture = await createFixture();
    const waiting: (() => void)[] = [];
    fixture.answer = () => new Promise((resolve) => void waiting.push(() => resolve({ msgId: "m", duplicate: false, positions: [] })));
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const push = (receivers: object) => ({ ...receivers, data: {} });
    const messages = [
      push({ rooms: ["a"] }),
      push({ everyone: true }),
      push({ rooms: ["a"] }),
      push({ accounts: ["a"] }),
      push({ everyone: true, rooms: ["b"] }),
    ];
    const reply = post(fixture, { messages });
    const sent = () => fixture.pushed.map(({ targets }) => targets.map(({ kind, name }) => `${kind} ${name}`).join());
    while (fixture.pushed.length < 3) await settle();
    await settle();
    assert.deepEqual(sent(), ["room a", "app ", "account a"]);
    waiting[1]?.();
    await settle();
    assert.deepEqual(sent().slice(3), ["room b,app "]);
    waiting[0]?.();
    await settle();
    assert.deepEqual(sent().slice(4), ["room a"]);
    for (const answer of waiting) answer();
    assert.equal((await reply).body.results.length, 5);
  });

  it("does not try what would overtake a message that the broker refused, and goes on after other errors", async () => {
    const fixture = await createFixture();
    fixture.answer = async ({ targets }) => {
      if (targets[0]?.name === "down") throw new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "the exchange is unavailable");
      if (targets[0]?.name === "used") throw new XlveinError(ErrorCode.KEY_REUSED, "used");
      return { msgId: "m", duplicate: false, positions: [] };
    };
    const { status, body } = await post(fixture, { messages: [to("down"), to("down", "x"), to("x"), to("used"), to("used"), to("free")] });
    assert.equal(status, 200);
    const outage = { error: { code: ErrorCode.EXCHANGE_UNAVAILABLE, message: "the exchange is unavailable", retryable: true } };
    const used = { error: { code: ErrorCode.KEY_REUSED, message: "used", retryable: false } };
    assert.deepEqual(body.results, [outage, outage, outage, used, used, { msg_id: "m", duplicate: false }]);
    assert.equal(fixture.pushed.length, 4);
  });

  it("fails as a whole when the server failed every message", async () => {
    const fixture = await createFixture();
    fixture.answer = () => Promise.reject(new XlveinError(ErrorCode.STORE_UNAVAILABLE, "down", { retryAfterSeconds: 2 }));
    const { status, headers, body } = await post(fixture, { messages: [to("a"), to("b")] });
    assert.deepEqual([status, headers["retry-after"], body.detail], [503, "2", "down"]);
    assert.equal(await readMetric(fixture.metrics, 'xlvein_push_requests_total{app="test",code="503"}'), 2);
  });

  it("hides and logs a fault of the server in one message", async () => {
    const fixture = await createFixture();
    fixture.answer = async ({ targets }) => {
      if (targets[0]?.name === "a") throw new Error("private detail");
      return { msgId: "m", duplicate: false, positions: [] };
    };
    const { body, headers } = await post(fixture, { messages: [to("a"), to("b")] });
    assert.deepEqual(body.results, [{ error: { code: 500, message: "internal error", retryable: true } }, { msg_id: "m", duplicate: false }]);
    assert.ok(fixture.logged.some((line) => line.includes("private detail") && line.includes(String(headers["x-request-id"]))));
  });

  it("counts each message against the application's rate", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { pushesPerSecond: 3 } })] });
    assert.equal((await post(fixture, { messages: [to("a"), to("b")] })).status, 200);
    const { status, headers } = await post(fixture, { messages: [to("a"), to("b")] });
    assert.deepEqual([status, headers["retry-after"]], [429, "1"]);
    assert.equal(fixture.pushed.length, 2);
  });
});
