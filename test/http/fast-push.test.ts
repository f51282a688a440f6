// The short road of a push: which requests take it, and that nobody can tell it from the long one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { createFastPush, type PushDoor } from "../../server/src/http/fast-push.ts";
import { createPushMeter } from "../../server/src/http/push-meter.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { makeApp, makeSecret } from "../auth/apps.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, type Fixture, readMetric } from "./fixture.ts";

const MESSAGES = "/api/v1/messages";
const BATCH = "/api/v1/messages/batch";
const CLASSIC = "/api/v1/im/push";
const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Both send the same request; the long road is taken because its length is not told. */
const ROADS = ["short", "long"] as const;

async function post(port: number, road: (typeof ROADS)[number], path: string, headers: Record<string, string>, body: Buffer): Promise<Answer> {
  const length: Record<string, string | number> = road === "short" ? { "content-length": body.length } : { "transfer-encoding": "chunked" };
  const request = httpRequest({ port, host: "127.0.0.1", method: "POST", path, headers: { ...headers, ...length }, agent: false });
  request.end(body);
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, body: text };
}

/** The fixture's API on its real server. */
async function listen(fixture: Fixture): Promise<number> {
  const server = fixture.api.server as Server;
  if (!server.listening) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  return (server.address() as AddressInfo).port;
}

/** What must be equal: all but the id, the time, and whether the connection goes on (the framework ends it after a body that it could not parse). */
function comparable({ status, headers, body }: Answer): unknown {
  const { "x-request-id": id, date, connection: _, "keep-alive": __, "transfer-encoding": ___, ...rest } = headers;
  assert.ok(typeof id === "string" && id !== "" && date !== undefined);
  const parsed = JSON.parse(body) as { request_id?: string };
  if ("request_id" in parsed) {
    assert.equal(parsed.request_id, id);
    parsed.request_id = "";
  }
  return { status, headers: rest, body: parsed };
}

interface Case {
  readonly name: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body: string | Buffer;
  /** What publishing ends with. */
  readonly fails?: () => Error;
  readonly status: number;
  /** Of the body: the problem's or the classic reply's. */
  readonly code?: number;
}

const push = (changes: object = {}) => JSON.stringify({ accounts: ["user_1"], data: { text: "hi" }, ...changes });
const classic = (changes: object = {}) => JSON.stringify({ app_key: "test", send_to: "user_1", message: { text: "hi" }, nonce: "n", ...changes });
const batch = (...messages: readonly unknown[]) => JSON.stringify({ messages });
const one = { accounts: ["user_1"], data: { text: "hi" } };
const outage = () => new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "the exchange is unavailable");
const reused = () => new XlveinError(ErrorCode.KEY_REUSED, "idempotency_key was used before with another body");
const bug = () => new TypeError("private detail");

/** The text of an object with so many levels. */
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

const CASES: readonly Case[] = [
  { name: "a push", path: MESSAGES, body: push(), status: 200 },
  { name: "a push with a key, and characters of every length", path: MESSAGES, body: push({ accounts: ["用户", "b😀"], idempotency_key: "k" }), status: 200 },
  { name: "no token", path: MESSAGES, headers: { authorization: "" }, body: push(), status: 401, code: 1000 },
  { name: "another scheme", path: MESSAGES, headers: { authorization: "Basic eDp5" }, body: push(), status: 401, code: 1000 },
  {
    name: "a token with a wrong signature",
    path: MESSAGES,
    headers: { authorization: bearer({}, { secret: "wrong" }) },
    body: push(),
    status: 401,
    code: 1000,
  },
  { name: "a token of nobody", path: MESSAGES, headers: { authorization: bearer({ iss: "nobody" }) }, body: push(), status: 404, code: 1001 },
  { name: "a disabled application", path: MESSAGES, headers: { authorization: bearer({ iss: "off" }) }, body: push(), status: 403, code: 1006 },
  { name: "an application that only signs", path: MESSAGES, headers: { authorization: bearer({ iss: "signs" }) }, body: push(), status: 403, code: 1004 },
  { name: "a used up rate", path: MESSAGES, headers: { authorization: bearer({ iss: "slow" }) }, body: push(), status: 429, code: 600 },
  { name: "half a body", path: MESSAGES, body: push().slice(0, -3), status: 400, code: 400 },
  { name: "a body that is not JSON", path: MESSAGES, body: "accounts=user_1", status: 400, code: 400 },
  { name: "a body that is not UTF-8", path: MESSAGES, body: Buffer.from(push({ accounts: ["é"] }), "latin1"), status: 400, code: 400 },
  { name: "null", path: MESSAGES, body: "null", status: 400, code: 400 },
  { name: "an array", path: MESSAGES, body: "[]", status: 400, code: 400 },
  { name: "several wrong fields", path: MESSAGES, body: '{"accounts":["", 7, "a", "a"],"data":[],"more":1}', status: 400, code: 400 },
  { name: "more faults than are told", path: MESSAGES, body: push({ accounts: Array.from({ length: 3_000 }, (_, n) => n) }), status: 400, code: 400 },
  { name: "__proto__ as a member", path: MESSAGES, body: '{"accounts":["a"],"data":{},"__proto__":{}}', status: 400, code: 400 },
  { name: "half a surrogate pair", path: MESSAGES, body: '{"accounts":["\\ud800"],"data":{}}', status: 400, code: 400 },
  {
    name: "data nested too deeply",
    path: MESSAGES,
    body: push({ data: JSON.parse(nested(40)) as object }),
    status: 400,
    code: 1003,
  },
  { name: "data that is too large", path: MESSAGES, body: push({ data: { text: "x".repeat(70_000) } }), status: 413, code: 413 },
  { name: "data twice, the last of them an object", path: MESSAGES, body: '{"accounts":["a"],"data":7,"data":{"n": 1}}', status: 200 },
  { name: "data twice, the last of them none", path: MESSAGES, body: '{"accounts":["a"],"data":{},"data":7}', status: 400, code: 400 },
  { name: "data under a name that is written in escapes", path: MESSAGES, body: '{"accounts":["a"],"d\\u0061ta":{ "n" : 1.0 }}', status: 200 },
  { name: "a body behind a byte order mark", path: MESSAGES, body: `\ufeff${push()}`, status: 400, code: 400 },
  { name: "a body with something behind it", path: MESSAGES, body: `${push()} x`, status: 400, code: 400 },
  { name: "data that is not JSON", path: MESSAGES, body: '{"accounts":["a"],"data":{"n":01}}', status: 400, code: 400 },
  { name: "data nested too deeply beside another fault", path: MESSAGES, body: `{"accounts":[],"data":${nested(40)}}`, status: 400, code: 400 },
  { name: "a batch", path: BATCH, body: batch(one, { ...one, rooms: ["r"] }, { everyone: true, data: {} }, one), status: 200 },
  {
    name: "a batch with bad messages among good ones",
    path: BATCH,
    body: batch(
      one,
      7,
      null,
      {},
      { accounts: ["a"] },
      { ...one, data: [] },
      { ...one, data: JSON.parse(nested(40)) },
      { ...one, data: { t: "x".repeat(70_000) } },
      one,
    ),
    status: 200,
  },
  { name: "a batch of one that fails", path: BATCH, body: batch({ ...one, data: 1 }), status: 200 },
  { name: "a batch of none", path: BATCH, body: batch(), status: 400, code: 400 },
  { name: "a batch that is no list", path: BATCH, body: '{"messages":{"accounts":["a"],"data":{}}}', status: 400, code: 400 },
  { name: "a batch with two lists, of which the last counts", path: BATCH, body: `{"messages":[7,${push()}],"messages":[${push()}]}`, status: 200 },
  { name: "a batch with a list and something else", path: BATCH, body: `{"messages":[${push()}],"messages":7}`, status: 400, code: 400 },
  { name: "a batch with another member", path: BATCH, body: `{"messages":[${push()}],"data":{}}`, status: 400, code: 400 },
  { name: "a batch that is cut off", path: BATCH, body: batch(one, one).slice(0, -2), status: 400, code: 400 },
  { name: "a batch without a token", path: BATCH, headers: { authorization: "" }, body: batch(one), status: 401, code: 1000 },
  { name: "a batch and a used up rate", path: BATCH, headers: { authorization: bearer({ iss: "slow" }) }, body: batch(one, one), status: 429, code: 600 },
  { name: "a batch in an outage", path: BATCH, body: batch(one, one), fails: outage, status: 503, code: 1007 },
  { name: "a batch and a fault of ours", path: BATCH, body: batch(one, one), fails: bug, status: 500, code: 500 },
  { name: "a key used before", path: MESSAGES, body: push({ idempotency_key: "k" }), fails: reused, status: 409, code: 1005 },
  { name: "an outage", path: MESSAGES, body: push(), fails: outage, status: 503, code: 1007 },
  { name: "a fault of ours", path: MESSAGES, body: push(), fails: bug, status: 500, code: 500 },
  { name: "a classic push in JSON", path: CLASSIC, body: classic(), status: 200, code: 0 },
  { name: "a classic push without a proof", path: CLASSIC, headers: { authorization: "" }, body: classic({ app_key: "signs" }), status: 200, code: 400 },
  {
    name: "a classic form",
    path: CLASSIC,
    headers: { "content-type": FORM_TYPE },
    body: "app_key=test&send_to=user_1&message=%7B%7D&nonce=a+b",
    status: 200,
    code: 0,
  },
  {
    name: "a classic form with a field twice",
    path: CLASSIC,
    headers: { "content-type": FORM_TYPE },
    body: "app_key=test&app_key=test",
    status: 200,
    code: 400,
  },
  { name: "a classic form that is badly encoded", path: CLASSIC, headers: { "content-type": FORM_TYPE }, body: "app_key=%E0%A4%A", status: 200, code: 400 },
  { name: "a classic push with a wrong sign", path: CLASSIC, body: classic({ sign: "00" }), status: 200, code: 1002 },
  { name: "a classic push to nobody's application", path: CLASSIC, body: classic({ app_key: "nobody" }), status: 200, code: 1001 },
  { name: "a classic push without its fields", path: CLASSIC, body: "{}", status: 200, code: 400 },
  { name: "a classic message that is no object", path: CLASSIC, body: classic({ message: "[]" }), status: 200, code: 1003 },
  { name: "a classic body that is not JSON", path: CLASSIC, body: "{", status: 200, code: 400 },
  { name: "a classic push in an outage", path: CLASSIC, body: classic(), fails: outage, status: 200, code: 1007 },
  { name: "a classic push and a fault of ours", path: CLASSIC, body: classic(), fails: bug, status: 200, code: 500 },
];

const APPS = [
  makeApp(),
  makeApp({ key: "off", enabled: false }),
  makeApp({ key: "signs", pushAuth: new Set(["sign"]), secrets: [makeSecret("signs")] }),
  makeApp({ key: "slow", limits: { pushesPerSecond: 0 } }),
];

/** A fresh API whose rate of `slow` is used up. */
async function prepare(fails: Case["fails"]): Promise<Fixture> {
  const fixture = await createFixture({ apps: APPS });
  await post(await listen(fixture), "long", MESSAGES, { authorization: bearer({ iss: "slow" }), "content-type": JSON_TYPE }, Buffer.from(push()));
  fixture.pushed.length = 0;
  fixture.logged.length = 0;
  fixture.authenticated = 0;
  fixture.metrics.registry.resetMetrics();
  if (fails) fixture.answer = () => Promise.reject(fails());
  return fixture;
}

/** What a request left behind, without ids and durations. */
async function traces({ pushed, logged, authenticated, metrics }: Fixture): Promise<unknown> {
  const series = (await metrics.registry.getSingleMetricAsString("xlvein_push_requests_total")).split("\n").filter((line) => line.startsWith("xlvein_"));
  const lines = logged.map((line) => {
    const { time, request_id, ms, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(typeof request_id, "string");
    return { ...rest, err: (err as Error | undefined)?.message };
  });
  return { pushed: [...pushed], authenticated, series, lines, timed: await readMetric(metrics, "xlvein_push_duration_seconds_count") };
}

describe("both roads of a push", { timeout: 60_000 }, () => {
  for (const { name, path, headers = {}, body, fails, status, code } of CASES) {
    it(`answer, count and log the same: ${name}`, async () => {
      const seen: { answer: unknown; left: unknown }[] = [];
      const sent = { authorization: bearer(), "content-type": JSON_TYPE, ...headers };
      for (const road of ROADS) {
        const fixture = await prepare(fails);
        const answer = await post(await listen(fixture), road, path, sent, Buffer.from(body));
        assert.equal(answer.status, status, answer.body);
        const { error, code: problem } = JSON.parse(answer.body) as { error?: number; code?: number };
        if (code !== undefined) assert.equal(path === CLASSIC ? error : problem, code, answer.body);
        // The line is written once the answer is.
        while (!fixture.logged.some((line) => line.includes('"event":"request"'))) await new Promise(setImmediate);
        seen.push({ answer: comparable(answer), left: await traces(fixture) });
      }
      assert.deepEqual(seen[0], seen[1]);
    });
  }

  it("share what is known of tokens and rates", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { pushesPerSecond: 2 } })] });
    const port = await listen(fixture);
    const headers = { authorization: bearer(), "content-type": JSON_TYPE };
    const statuses: number[] = [];
    for (const road of ["short", "long", "short", "long"] as const) statuses.push((await post(port, road, MESSAGES, headers, Buffer.from(push()))).status);
    assert.deepEqual(statuses, [200, 200, 429, 429]);
  });
});

describe("the short road", { timeout: 20_000 }, () => {
  it("answers pipelined pushes in their order, on one connection that goes on", async (t) => {
    const fixture = await createFixture();
    const socket = connect(await listen(fixture), "127.0.0.1");
    t.after(() => socket.destroy());
    const accounts = ["a", "b", "c"];
    for (const account of accounts) {
      const body = push({ accounts: [account] });
      socket.write(
        `POST ${MESSAGES} HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer()}\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    }
    let said = "";
    while (said.split("HTTP/1.1 200 OK").length <= 3 || !said.endsWith("}")) said += String((await once(socket, "data"))[0]);
    assert.deepEqual(said.match(/"msg_id":"[^"]+"/g), ['"msg_id":"msg-1"', '"msg_id":"msg-2"', '"msg_id":"msg-3"']);
    assert.match(said, /connection: keep-alive/i);
  });

  it("keeps the connection after a push that was refused, its body having been read", async (t) => {
    const fixture = await createFixture();
    const socket = connect(await listen(fixture), "127.0.0.1");
    t.after(() => socket.destroy());
    for (const [body, status] of [
      ["{", 400],
      ["{}", 400],
      [push(), 200],
    ] as const) {
      socket.write(
        `POST ${MESSAGES} HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer()}\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const [answer] = (await once(socket, "data")) as [Buffer];
      assert.match(String(answer), new RegExp(`^HTTP/1\\.1 ${status} [^]*connection: keep-alive`, "i"));
    }
  });

  it("takes a body that comes in pieces, cut inside a character", async (t) => {
    const fixture = await createFixture();
    const socket = connect(await listen(fixture), "127.0.0.1");
    t.after(() => socket.destroy());
    const body = Buffer.from(push({ accounts: ["用户"] }));
    const cut = body.indexOf("用户") + 1;
    socket.setNoDelay(true);
    socket.write(`POST ${MESSAGES} HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer()}\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body.subarray(0, cut));
    // Authenticated before the body is complete.
    while (fixture.authenticated === 0) await new Promise(setImmediate);
    socket.write(body.subarray(cut));
    assert.match(String((await once(socket, "data"))[0]), /^HTTP\/1\.1 200 /);
    assert.equal(fixture.pushed[0]?.targets[0]?.name, "用户");
  });

  it("counts a caller who hangs up in the middle of the body, and goes on", async (t) => {
    const fixture = await createFixture();
    const port = await listen(fixture);
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.write(`POST ${MESSAGES} HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer()}\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: 100\r\n\r\n{"acc`);
    while (fixture.authenticated === 0) await new Promise(setImmediate);
    socket.destroy();
    while ((await readMetric(fixture.metrics, 'xlvein_push_requests_total{app="test",code="400"}')) !== 1) await new Promise(setImmediate);
    assert.equal(fixture.pushed.length, 0);
    assert.equal((await post(port, "short", MESSAGES, { authorization: bearer(), "content-type": JSON_TYPE }, Buffer.from(push()))).status, 200);
  });
});

/** A server whose short road has one door; what is not for it gets 299. */
async function serveDoor(t: TestContext, options: { draining?: () => boolean; door?: Partial<PushDoor> } = {}): Promise<number> {
  const door: PushDoor = {
    checks: new Map([[JSON_TYPE, () => undefined]]),
    readJson: (text) => ({ value: JSON.parse(text) }),
    handler: async () => ({}),
    refuse: () => ({ status: 499, type: JSON_TYPE, body: {} }),
    ...options.door,
  };
  const short = createFastPush({
    doors: new Map([[MESSAGES, door]]),
    meter: createPushMeter(createMetrics("0.0.0-test")),
    bodyBytes: 100,
    newRequestId: () => "id",
    draining: options.draining ?? (() => false),
    onAnswered() {},
  });
  const server = createServer(short((_request, response) => void response.writeHead(299).end("{}"))).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

describe("what takes the short road", () => {
  async function roadOf(
    port: number,
    { method = "POST", path = MESSAGES, headers = {}, body = "{}" }: { method?: string; path?: string; headers?: object; body?: string },
  ) {
    const request = httpRequest({
      port,
      host: "127.0.0.1",
      method,
      path,
      agent: false,
      headers: { "content-type": JSON_TYPE, "content-length": body.length, ...headers },
    });
    request.end(body);
    const [response] = await once(request, "response");
    response.resume();
    return { 200: "short", 299: "long" }[response.statusCode as 200 | 299] ?? `answered ${response.statusCode}`;
  }

  it("is a POST to the very path, in JSON, of a told length within bounds", async (t) => {
    const port = await serveDoor(t);
    for (const type of [JSON_TYPE, "application/json; charset=utf-8", "application/json;charset=UTF-8"])
      assert.equal(await roadOf(port, { headers: { "content-type": type } }), "short", type);
    assert.equal(await roadOf(port, { body: JSON.stringify("x".repeat(98)) }), "short");
    const others: Parameters<typeof roadOf>[1][] = [
      { method: "PUT" },
      { path: `${MESSAGES}?` },
      { path: `${MESSAGES}/` },
      { path: `${MESSAGES}/batch` },
      { path: "/api/v1/%6dessages" },
      { headers: { "content-type": "application/json; charset=latin1" } },
      { headers: { "content-type": "text/plain" } },
      { headers: { "content-type": FORM_TYPE } },
      { headers: { "content-encoding": "gzip" } },
      { headers: { "content-encoding": "identity" } },
      { headers: { expect: "100-continue" } },
      { body: JSON.stringify("x".repeat(99)) },
      { body: "" },
    ];
    for (const other of others) assert.equal(await roadOf(port, other), "long", JSON.stringify(other));
  });

  it("is nothing while the server drains", async (t) => {
    let draining = false;
    const port = await serveDoor(t, { draining: () => draining });
    assert.equal(await roadOf(port, {}), "short");
    draining = true;
    assert.equal(await roadOf(port, {}), "long");
  });

  it("is refused by the door when anything fails, even before it can answer", async (t) => {
    const fail = () => {
      throw new Error("not expected");
    };
    for (const door of [{ authenticate: fail }, { handler: fail }, { checks: new Map([[JSON_TYPE, fail]]) }])
      assert.equal(await roadOf(await serveDoor(t, { door }), {}), "answered 499");
  });
});
