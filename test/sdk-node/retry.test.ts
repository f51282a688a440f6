// Retries, waits, time-outs and abort, against a server that misbehaves.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  XlveinApiError,
  XlveinConnectionError,
  XlveinError,
  XlveinRateLimitError,
  XlveinTimeoutError,
  XlveinUnavailableError,
} from "../../sdk-node/src/index.ts";
import { backoffMs } from "../../sdk-node/src/retry.ts";
import { ACCEPTED, createClient, problem, SECRET, type Step, startScript } from "./scripted-server.ts";

const MESSAGE = { account: "user_1", data: { text: "hello" } };

const passing: [string, Step][] = [
  ["a 429", problem(429, 600)],
  ["a 500", problem(500, 500)],
  ["a 503", problem(503, 1007)],
  ["a proxy's 502", { status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad gateway</h1>" }],
  ["a proxy's 504 without a body", { status: 504 }],
  ["a connection that breaks without an answer", "cut"],
  ["a connection that breaks within the answer", "cut-body"],
];

for (const [what, step] of passing) {
  test(`${what} is retried with the same body and succeeds`, async (t) => {
    const server = await startScript(t, [step, ACCEPTED]);
    const { client, waits } = createClient(server.url);
    assert.deepEqual(await client.push(MESSAGE), { msgId: "m-1", duplicate: false });
    assert.equal(server.received.length, 2);
    assert.equal(server.received[0]?.text, server.received[1]?.text);
    assert.deepEqual(waits, [250]);
  });
}

for (const [status, code] of [
  [400, 400],
  [401, 1000],
  [403, 1004],
  [404, 1001],
  [408, 408],
  [409, 1005],
  [413, 413],
  [415, 415],
] as const)
  test(`a ${status} is not retried`, async (t) => {
    const server = await startScript(t, [problem(status, code, { retryable: status === 408 })]);
    await assert.rejects(createClient(server.url).client.push(MESSAGE), XlveinApiError);
    assert.equal(server.received.length, 1);
  });

test("a 5xx that the server calls final is not retried", async (t) => {
  const server = await startScript(t, [problem(500, 500, { retryable: false })]);
  await assert.rejects(createClient(server.url).client.push(MESSAGE), XlveinApiError);
  assert.equal(server.received.length, 1);
});

test("after two retries the last error is thrown", async (t) => {
  const server = await startScript(t, [problem(500, 500), "cut", problem(503, 1009)]);
  const { client, waits } = createClient(server.url);
  await assert.rejects(client.push(MESSAGE), (error: unknown) => error instanceof XlveinUnavailableError && error.code === 1009);
  assert.equal(server.received.length, 3);
  assert.deepEqual(waits, [250, 500]);
});

test("retries 0 sends once", async (t) => {
  const server = await startScript(t, [problem(503, 1009)]);
  await assert.rejects(createClient(server.url, { retries: 0 }).client.push(MESSAGE), XlveinUnavailableError);
  assert.equal(server.received.length, 1);
});

test("the wait is uniform below a bound that doubles up to 8 s", () => {
  const bounds = [0, 1, 2, 3, 4, 5, 9].map((attempt) => backoffMs(attempt, () => 1));
  assert.deepEqual(bounds, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  assert.equal(
    backoffMs(3, () => 0),
    0,
  );
});

test("Retry-After in seconds is waited out, jitter on top", async (t) => {
  const server = await startScript(t, [problem(429, 600, { headers: { "retry-after": "3" } }), ACCEPTED]);
  const { client, waits } = createClient(server.url);
  await client.push(MESSAGE);
  assert.deepEqual(waits, [3_250]);
});

test("Retry-After as a date is waited for", async (t) => {
  const now = (): number => 1_700_000_000_000;
  const server = await startScript(t, [problem(503, 1009, { headers: { "retry-after": new Date(now() + 7_000).toUTCString() } }), ACCEPTED]);
  const { client, waits } = createClient(server.url, { now });
  await client.push(MESSAGE);
  assert.deepEqual(waits, [7_250]);
});

test("a Retry-After that does not fit into the whole time is left to the caller", async (t) => {
  const server = await startScript(t, [problem(429, 600, { headers: { "retry-after": "60" } })]);
  const { client, waits } = createClient(server.url);
  await assert.rejects(client.push(MESSAGE), (error: unknown) => {
    assert.ok(error instanceof XlveinRateLimitError);
    assert.equal(error.retryAfterMs, 60_000);
    assert.equal(error.retryable, true);
    return true;
  });
  assert.deepEqual(waits, []);
});

test("the time of all attempts together is bounded", async (t) => {
  const server = await startScript(t, () => problem(500, 500));
  let nowMs = 0;
  const wait = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  const { client } = createClient(server.url, { retries: 10, totalTimeoutMs: 5_000, now: () => nowMs, wait });
  await assert.rejects(client.push(MESSAGE), XlveinApiError);
  assert.ok(nowMs < 5_000);
  assert.equal(server.received.length, 5, "250 + 500 + 1,000 + 2,000 ms fit, another 4,000 do not");
});

test("a server that does not answer is a time-out, retried", async (t) => {
  const server = await startScript(t, ["hang", ACCEPTED]);
  const { client } = createClient(server.url, { timeoutMs: 1_000 });
  await client.push({ ...MESSAGE, idempotencyKey: "k" });
  assert.equal(server.received.length, 2);
});

test("a time-out says how long, and may be set for one call", async (t) => {
  const server = await startScript(t, () => "hang");
  const { client } = createClient(server.url, { retries: 0 });
  await assert.rejects(client.push({ ...MESSAGE, timeoutMs: 40 }), (error: unknown) => {
    assert.ok(error instanceof XlveinTimeoutError);
    assert.equal(error.message, `push: no complete answer from ${server.url} within 40 ms`);
    assert.equal(error.retryable, true);
    return true;
  });
});

test("the time-out covers the answer's body", async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"msg_id":');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { client } = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { timeoutMs: 60, retries: 0 });
  await assert.rejects(client.push(MESSAGE), XlveinTimeoutError);
});

test("an answer without end is cut off at 16 MiB", async () => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1_048_576;
      controller.enqueue(new Uint8Array(1_048_576));
    },
  });
  const { client } = createClient("http://127.0.0.1:1", { fetch: async () => new Response(body) });
  await assert.rejects(client.push(MESSAGE), /push: the answer is larger than 16777216 bytes/);
  assert.ok(sent < 20_000_000);
});

test("an aborted signal rejects with its reason and sends nothing", async (t) => {
  const server = await startScript(t, []);
  const reason = new Error("changed my mind");
  const { client } = createClient(server.url);
  for (const call of [
    client.push({ ...MESSAGE, signal: AbortSignal.abort(reason) }),
    client.pushMany([MESSAGE], { signal: AbortSignal.abort(reason) }),
    client.connections("user_1", { signal: AbortSignal.abort(reason) }),
    client.disconnect("user_1", { signal: AbortSignal.abort(reason) }),
    client.classicPush({ ...MESSAGE, signal: AbortSignal.abort(reason) }),
  ])
    await assert.rejects(call, (error) => error === reason);
  assert.equal(server.received.length, 0);
});

test("aborting during a request rejects with the reason, without a retry", async (t) => {
  const server = await startScript(t, () => "hang");
  const controller = new AbortController();
  const reason = new Error("too late");
  const arrived = server.arrived();
  const pushed = createClient(server.url, { retries: 0 }).client.push({ ...MESSAGE, signal: controller.signal });
  await arrived;
  controller.abort(reason);
  await assert.rejects(pushed, (error) => error === reason);
  assert.equal(server.received.length, 1);
});

test("a signal that aborts just before the wait ends the call without it", async (t) => {
  const server = await startScript(t, [problem(503, 1009, { headers: { "retry-after": "20" } })]);
  const controller = new AbortController();
  const reason = new Error("just now");
  const random = (): number => {
    controller.abort(reason);
    return 0.5;
  };
  const { client } = createClient(server.url, { wait: undefined, random });
  const started = performance.now();
  await assert.rejects(client.push({ ...MESSAGE, signal: controller.signal }), (error) => error === reason);
  assert.ok(performance.now() - started < 15_000);
});

test("aborting during the wait between two attempts ends it at once", async (t) => {
  const server = await startScript(t, [problem(503, 1009, { headers: { "retry-after": "20" } })]);
  const controller = new AbortController();
  const reason = new Error("enough waited");
  // The real wait: 20 s that would outlast the test.
  const { client } = createClient(server.url, { wait: undefined });
  const pushed = client.push({ ...MESSAGE, signal: controller.signal });
  setImmediate(function abortOnceAnswered() {
    if (server.received.length === 0) setImmediate(abortOnceAnswered);
    else controller.abort(reason);
  });
  await assert.rejects(pushed, (error) => error === reason);
});

test("the real wait waits, and an unused signal keeps no listener", async (t) => {
  const server = await startScript(t, [problem(500, 500), ACCEPTED]);
  const controller = new AbortController();
  const started = performance.now();
  const { client } = createClient(server.url, { wait: undefined, random: () => 0.1 });
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  await client.push({ ...MESSAGE, signal });
  assert.ok(performance.now() - started >= 49);
  assert.equal(listeners, 0);
});

test("a server that is not there is a connection error with the reason", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, "close");
  const { client, waits } = createClient(`http://127.0.0.1:${port}`);
  await assert.rejects(client.push(MESSAGE), (error: unknown) => {
    assert.ok(error instanceof XlveinConnectionError);
    assert.equal(error.message, `push: cannot reach http://127.0.0.1:${port}: ECONNREFUSED`);
    assert.ok(error.cause instanceof Error);
    assert.match(error.remediation, /`url`/);
    return true;
  });
  assert.equal(waits.length, 2);
});

test("a redirect is reported, not followed", async (t) => {
  const server = await startScript(t, [{ status: 301, headers: { location: "https://push.example.com/api/v1/messages?secret=1" } }]);
  await assert.rejects(createClient(server.url).client.push(MESSAGE), (error: unknown) => {
    assert.ok(error instanceof XlveinApiError);
    assert.equal(error.message, "push: HTTP 301 redirects to https://push.example.com");
    assert.match(error.remediation, /Set `url`/);
    return true;
  });
});

test("a web page in place of an answer is told as such", async (t) => {
  const server = await startScript(t, [
    { body: "<html>welcome</html>", headers: { "content-type": "text/html" } },
    { status: 404, body: "<html>not here</html>" },
  ]);
  const { client } = createClient(server.url);
  await assert.rejects(client.push(MESSAGE), /push: HTTP 200 with a body that is not xlvein's/);
  await assert.rejects(client.push(MESSAGE), (error: unknown) => {
    assert.ok(error instanceof XlveinApiError);
    assert.deepEqual([error.code, error.status, error.retryable], [404, 404, false]);
    assert.match(error.remediation, /not xlvein's own: check `url`/);
    assert.doesNotMatch(error.message, /html/);
    return true;
  });
});

test("calls one after the other keep using open connections", async (t) => {
  const server = await startScript(t, () => ACCEPTED);
  const { client } = createClient(server.url);
  for (let i = 0; i < 20; i++) await client.push(MESSAGE);
  // Two where one is not free again yet when the next call begins.
  assert.ok(new Set(server.received.map(({ remotePort }) => remotePort)).size <= 2);
});

test("no error shows the secret or a token, however it is printed", async (t) => {
  const server = await startScript(t, (request) =>
    request.path.includes("connections") ? "cut" : request.path.includes("disconnect") ? "hang" : problem(401, 1000),
  );
  const { client } = createClient(server.url, { retries: 0, timeoutMs: 1_000 });
  const outcomes = await Promise.allSettled([
    client.push(MESSAGE),
    client.pushMany([MESSAGE]),
    client.connections("user_1"),
    client.disconnect("user_1"),
    client.classicPush(MESSAGE),
  ]);
  for (const outcome of outcomes) {
    assert.equal(outcome.status, "rejected");
    assert.ok(outcome.reason instanceof XlveinError);
    const shown = inspect(outcome.reason, { depth: Number.POSITIVE_INFINITY, showHidden: true });
    assert.ok(!shown.includes(SECRET));
    assert.doesNotMatch(shown, /eyJ/);
  }
});
