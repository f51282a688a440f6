// SIGTERM on a real process: unready at once, sockets closed at an even pace, pushes served to the end, exit 0.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Serving, startServing, startXlvein } from "../cli/bin.ts";
import { type Client, connect, connectUrl, push, refused } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";

const WINDOW_SECONDS = 3;

function serve(t: TestContext, windowSeconds: number): Promise<Serving> {
  return startServing(t, { applications: [{ app_key: "test", app_secret: SECRET }], drain: { window_seconds: windowSeconds } });
}

/** One after the other, so that the last is the last that the server knows. */
async function connectMany(t: TestContext, url: string, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) clients.push(await connect(t, url, { account: `account ${i}` }));
  return clients;
}

/** When each socket closed, milliseconds after the first, in their order. */
async function closingTimes(clients: readonly Client[]): Promise<number[]> {
  const times = await Promise.all(
    clients.map(async ({ closed }) => {
      const { code } = await closed;
      assert.equal(code, 1012);
      return performance.now();
    }),
  );
  const first = Math.min(...times);
  return times.map((time) => time - first).sort((a, b) => a - b);
}

async function readyStatus({ internalUrl }: Serving): Promise<number> {
  return (await fetch(`${internalUrl}/readyz`)).status;
}

test("sockets close with 1012, spread evenly over the window, and the process exits 0", async (t) => {
  const serving = await serve(t, WINDOW_SECONDS);
  const count = 30;
  const clients = await connectMany(t, serving.url, count);
  const times = closingTimes(clients);
  serving.child.kill("SIGTERM");
  const windowMs = WINDOW_SECONDS * 1_000;
  for (const [i, time] of (await times).entries()) {
    // The first closes at once, the last one step before the end; a busy machine is late, never early.
    const due = (i / count) * windowMs;
    assert.ok(time > due - 0.15 * windowMs, `socket ${i} closed after ${time} ms, which is too early`);
    assert.ok(time < due + 0.35 * windowMs, `socket ${i} closed after ${time} ms, which is too late`);
  }
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
});

test("from the signal on the server is unready and refuses new sockets, and it lives", async (t) => {
  const serving = await serve(t, WINDOW_SECONDS);
  const clients = await connectMany(t, serving.url, 6);
  assert.equal(await readyStatus(serving), 200);
  serving.child.kill("SIGTERM");
  // The first socket closes at once: unready by then, with most of the window ahead.
  await Promise.race(clients.map(({ closed }) => closed));
  assert.equal(await readyStatus(serving), 503);
  const { status, headers, body } = await refused(connectUrl(serving.url));
  assert.equal(status, 503);
  assert.equal(body.error, 1009);
  assert.match(String(headers["retry-after"]), /^\d+$/);
  assert.equal((await fetch(`${serving.internalUrl}/livez`)).status, 200);
  await closingTimes(clients);
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
});

test("pushes during the drain are accepted and reach whoever is still connected, and clients still talk", async (t) => {
  const serving = await serve(t, WINDOW_SECONDS);
  const clients = await connectMany(t, serving.url, 6);
  const [first, other, last] = [clients[0], clients.at(-2), clients.at(-1)];
  assert.ok(first && other && last);
  serving.child.kill("SIGTERM");
  await first.closed;
  const response = await push(serving.url, ["account 5", "account 0"], { text: "late" });
  assert.equal(response.status, 200);
  assert.deepEqual((await last.next()).data, { text: "late" });
  other.send({ to: "account 5", data: { text: "from a client" } });
  assert.equal((await last.next()).from, "account 4");
  await closingTimes(clients);
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
});

test("SIGINT drains too", async (t) => {
  const serving = await serve(t, 0.5);
  const clients = await connectMany(t, serving.url, 3);
  serving.child.kill("SIGINT");
  await closingTimes(clients);
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
});

test("without sockets the process exits 0 at once", async (t) => {
  const serving = await serve(t, 3_600);
  serving.child.kill("SIGTERM");
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
  assert.match(serving.printed.stdout, /"event":"closed"/);
});

test("a second signal ends at once, whatever the window, with the signal's code", async (t) => {
  for (const [second, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    const serving = await serve(t, 3_600);
    const clients = await connectMany(t, serving.url, 3);
    serving.child.kill("SIGTERM");
    await Promise.race(clients.map(({ closed }) => closed));
    serving.child.kill(second);
    assert.deepEqual(await serving.ended, { code, signal: null });
    assert.match(serving.printed.stdout, /"event":"second signal"/);
    await Promise.all(clients.map(({ closed }) => closed));
  }
});

test("a client that never answers the close frame does not hold the process", async (t) => {
  const serving = await serve(t, 0);
  const client = await connect(t, serving.url);
  // Reads nothing any more: the close frame stays unread, so no answer comes.
  client.socket.pause();
  serving.child.kill("SIGTERM");
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
});

test("a signal before the server listens ends it without an error", async (t) => {
  const serving = await serve(t, 3_600);
  const early = startXlvein(t, ["start", "--config", serving.file]);
  await early.line(/"event":"starting"/);
  early.child.kill("SIGTERM");
  assert.deepEqual(await early.ended, { code: 0, signal: null });
});
