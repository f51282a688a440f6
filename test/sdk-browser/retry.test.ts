// When a client comes back: close codes, back-off, the server's wishes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClient, settle } from "./doubles.ts";

/** The wait announced after a connected socket ended so, with `random()` at both ends. */
async function waits(code: number, reason = ""): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (const chance of [0, 0.999999]) {
    const { clock, sockets, states, connected, closed } = fakeClient();
    clock.chance = () => chance;
    await connected();
    sockets.last.end(code, reason);
    const { state, retryInMs } = states.at(-1) ?? {};
    found.push(state === "closed" ? undefined : Math.round(retryInMs ?? Number.NaN));
    await closed();
  }
  return found;
}

const hint = '{"retry_after_ms":7000}';
for (const [code, reason, expected] of [
  [1001, "", [0, 2000]],
  [1005, "", [0, 2000]],
  [1006, "", [0, 2000]],
  [1002, "", [0, 2000]],
  [1009, "", [0, 2000]],
  [1011, "", [0, 2000]],
  [3000, "", [0, 2000]],
  [4300, "", [0, 2000]],
  [1012, "", [0, 2000]],
  [1012, hint, [7000, 9000]],
  [4100, "", [1000, 3000]],
  [4199, "", [1000, 3000]],
  [4100, hint, [7000, 9000]],
  [4200, "", [0, 0]],
  [4299, "", [0, 0]],
  [4200, hint, [7000, 7000]],
  [4200, "not json", [0, 0]],
  [4200, '{"retry_after_ms":-5}', [0, 0]],
  [4200, '{"retry_after_ms":"x"}', [0, 0]],
  [4200, '{"retry_after_ms": 7000}', [7000, 7000]],
  [4200, `{"retry_after_ms":1${"0".repeat(30)}}`, [3_600_000, 3_600_000]],
  [1000, "", [undefined, undefined]],
  [4000, "", [undefined, undefined]],
  [4003, "", [undefined, undefined]],
  [4010, "", [undefined, undefined]],
  [4099, "", [undefined, undefined]],
] as const) {
  const what = expected[0] === undefined ? "stops the client" : `brings it back after ${expected[0]} to ${expected[1]} ms`;
  test(`close code ${code}${reason && ` with the reason ${reason}`} ${what}`, async () => {
    assert.deepEqual(await waits(code, reason), expected);
  });
}

test("a stop closes the client with a reason that has the close code, and connect() starts anew", async () => {
  const { client, sockets, states, errors, clock, page, connected, closed } = fakeClient();
  await connected();
  sockets.last.end(4010, "kicked");
  assert.equal(client.state, "closed");
  const reason = states.at(-1)?.reason;
  assert.equal(reason?.code, "stopped");
  assert.equal(reason?.closeCode, 4010);
  assert.match(reason?.message ?? "", /4010 kicked/);
  assert.deepEqual(errors, [reason]);
  await clock.advance(600_000);
  page.network(true);
  assert.equal(sockets.all.length, 1);
  await connected();
  assert.equal(client.state, "connected");
  await closed();
});

test("retries back off with full jitter: 2 s, then 2, 4, 8, 16 and at most 20 s", async () => {
  const { client, clock, sockets, states, closed } = fakeClient();
  clock.chance = () => 0.999999;
  void client.connect();
  await settle();
  const announced: number[] = [];
  for (let i = 0; i < 8; i++) {
    const count = sockets.all.length;
    sockets.last.end();
    const ms = Math.round(states.at(-1)?.retryInMs ?? Number.NaN);
    announced.push(ms);
    await clock.advance(ms - 1);
    assert.equal(sockets.all.length, count, "not before the wait is over");
    await clock.advance(2);
    assert.equal(sockets.all.length, count + 1);
  }
  assert.deepEqual(announced, [2000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]);
  await closed();
});

test("full jitter reaches down to no wait at all", async () => {
  const { client, clock, sockets, states, closed } = fakeClient();
  clock.chance = () => 0;
  void client.connect();
  await settle();
  for (let i = 0; i < 5; i++) {
    sockets.last.end();
    assert.equal(states.at(-1)?.retryInMs, 0);
    await clock.advance(0);
  }
  assert.equal(sockets.all.length, 6);
  await closed();
});

/** Ends, waits and accepts `times` times, each connection holding for `heldMs`; answers the last wait. */
async function flap(times: number, heldMs: number, code = 1006): Promise<number> {
  const { clock, sockets, states, connected, closed } = fakeClient();
  clock.chance = () => 0.999999;
  await connected();
  let wait = Number.NaN;
  for (let i = 0; i < times; i++) {
    await clock.advance(heldMs);
    sockets.last.end(code);
    wait = Math.round(states.at(-1)?.retryInMs ?? Number.NaN);
    await clock.advance(wait);
    sockets.last.accept();
  }
  await closed();
  return wait;
}

test("connections that break within a second keep the back-off growing", async () => {
  assert.equal(await flap(5, 999), 16_000);
});

test("connections that hold for a second each do not: nodes that end one after the other cost their clients one first retry each", async () => {
  assert.equal(await flap(5, 1_000), 2_000);
});

test("a server that says come back at once, again and again, meets the back-off", async () => {
  assert.equal(await flap(1, 10, 4200), 0);
  assert.equal(await flap(5, 10, 4200), 16_000);
});

test("connect() while waiting retries now", async () => {
  const { client, sockets, closed } = fakeClient();
  void client.connect();
  await settle();
  sockets.last.end();
  void client.connect();
  await settle();
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("nothing shortens the wait that the server asked for", async () => {
  const { client, sockets, clock, page, connected, closed } = fakeClient();
  await connected();
  sockets.last.end(4200, hint);
  for (const nudge of [() => client.connect(), () => page.network(true), () => page.look(true), () => page.fire("pageshow")]) {
    void nudge();
    await clock.advance(1_000);
    assert.equal(sockets.all.length, 1);
  }
  await clock.advance(2_999);
  assert.equal(sockets.all.length, 1);
  await clock.advance(1);
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("the wait that the server asked for outlives an offline spell", async () => {
  const { sockets, clock, page, connected, closed } = fakeClient();
  await connected();
  sockets.last.end(4200, hint);
  page.network(false);
  await clock.advance(2_000);
  page.network(true);
  await clock.advance(4_999);
  assert.equal(sockets.all.length, 1);
  await clock.advance(1);
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("each second that a connection has held takes one retry back, not all of them", async () => {
  const { client, clock, sockets, states, closed } = fakeClient();
  clock.chance = () => 0.999999;
  void client.connect();
  await settle();
  const announced = () => Math.round(states.at(-1)?.retryInMs ?? Number.NaN);
  for (let failures = 0; failures < 5; failures++) {
    sockets.last.end();
    await clock.advance(announced() + 1);
  }
  sockets.last.accept();
  await clock.advance(3_500);
  sockets.last.end();
  assert.equal(announced(), 4_000);
  await closed();
});

test("how long a connection held counts once: the back-off of the failures after it keeps growing", async () => {
  const { clock, sockets, states, connected, closed } = fakeClient();
  clock.chance = () => 0.999999;
  await connected();
  await clock.advance(10_000);
  const announced: number[] = [];
  for (let i = 0; i < 7; i++) {
    sockets.last.end();
    announced.push(Math.round(states.at(-1)?.retryInMs ?? Number.NaN));
    await clock.advance(announced.at(-1) ?? 0);
  }
  assert.deepEqual(announced, [2000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
  await closed();
});

for (const [heldMs, expected] of [
  [999, 4_000],
  [1_000, 2_000],
] as const) {
  test(`what counts is how long the connection held (${heldMs} ms), not how long the network was away after it`, async () => {
    const { clock, sockets, page, states, connected, closed } = fakeClient();
    clock.chance = () => 0.999999;
    void connected();
    await settle();
    sockets.last.end();
    await clock.advance(2_000);
    sockets.last.end();
    await clock.advance(2_000);
    sockets.last.accept();
    await clock.advance(heldMs);
    page.network(false);
    sockets.last.end(1000);
    await clock.advance(600_000);
    page.network(true);
    await settle();
    sockets.last.end();
    assert.equal(Math.round(states.at(-1)?.retryInMs ?? Number.NaN), expected);
    await closed();
  });
}

test("close() forgets the server's wish: it was meant for the client that came back by itself", async () => {
  const { client, sockets, page, connected, closed } = fakeClient();
  await connected();
  sockets.last.end(4200, hint);
  await client.close();
  void client.connect();
  await settle();
  assert.equal(sockets.all.length, 2);
  page.network(false);
  sockets.last.end();
  page.network(true);
  await settle();
  assert.equal(sockets.all.length, 3);
  await closed();
});
