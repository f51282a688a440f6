// When a token is asked for, and what happens when there is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientOptions } from "../../sdk-browser/src/index.ts";
import { fakeClient, fakeToken, START_MS, settle } from "./doubles.ts";

/** A client that asks; answers are `token-1`, `token-2`, … */
function asking(options: Partial<ClientOptions> = {}) {
  const reasons: string[] = [];
  const getToken = ({ reason }: { reason: string }) => `token-${reasons.push(reason)}`;
  return { reasons, ...fakeClient({ token: undefined, getToken, ...options }) };
}

const tokenOf = (socket: { token: string | undefined }) => socket.token;

test("the first connection asks for a token, a reconnection uses it again", async () => {
  const { reasons, sockets, clock, connected, closed } = asking();
  await connected();
  sockets.last.end(1012);
  await clock.advance(2_000);
  assert.deepEqual(sockets.all.map(tokenOf), ["token-1", "token-1"]);
  assert.deepEqual(reasons, ["first"]);
  await closed();
});

test("a token given beside getToken is used until the server refuses it", async () => {
  const { reasons, sockets, clock, connected, closed } = asking({ token: "given" });
  await connected();
  assert.deepEqual(reasons, []);
  sockets.last.end();
  await clock.advance(2_000);
  sockets.last.end(1006);
  await clock.advance(2_000);
  assert.equal(tokenOf(sockets.last), "given", "a server that cannot be reached does not speak against the token");
  sockets.last.open();
  sockets.last.end(4007);
  await clock.advance(4_000);
  assert.equal(tokenOf(sockets.last), "token-1");
  await closed();
});

test("a refused token (4007) is replaced once; when the new one is refused too, the client stops", async () => {
  const { client, reasons, sockets, clock, states, errors } = asking();
  const ready = client.connect();
  await settle();
  sockets.last.open();
  sockets.last.end(4007, "token: expired");
  assert.deepEqual([errors[0]?.code, errors[0]?.closeCode], ["connect_failed", 4007]);
  await clock.advance(2_000);
  assert.deepEqual(reasons, ["first", "refused"]);
  sockets.last.open();
  sockets.last.end(4007, "token: expired");
  assert.equal(client.state, "closed");
  assert.deepEqual([states.at(-1)?.reason?.code, states.at(-1)?.reason?.closeCode], ["stopped", 4007]);
  await assert.rejects(ready, { code: "stopped" });
});

test("a token that has served may be replaced again", async () => {
  const { reasons, sockets, connected, attempted, closed } = asking();
  await connected();
  for (let i = 0; i < 3; i++) {
    sockets.last.end();
    await attempted();
    sockets.last.open();
    sockets.last.end(4007);
    await attempted();
    sockets.last.accept();
  }
  assert.deepEqual(reasons, ["first", "refused", "refused", "refused"]);
  await closed();
});

test("a fixed token that is refused stops the client", async () => {
  const { client, sockets, clock } = fakeClient();
  void client.connect();
  await settle();
  sockets.last.open();
  sockets.last.end(4007);
  await clock.advance(60_000);
  assert.equal(client.state, "closed");
  assert.equal(sockets.all.length, 1);
});

test("a token whose end has passed, or passes within 10 s, is not used for another connection", async () => {
  for (const [secondsLeft, expected] of [
    [-1, ["first", "expired"]],
    [8, ["first", "expired"]],
    [13, ["first"]],
  ] as const) {
    const { reasons, sockets, clock, connected, closed } = asking();
    // The server's clock is an hour ahead; what counts is how long the token lives.
    const time = START_MS + 3_600_000;
    await connected({ time, expires_at: time + (secondsLeft + 2) * 1_000 });
    sockets.last.end();
    await clock.advance(2_000);
    assert.deepEqual(reasons, expected);
    await closed();
  }
});

test("close code 4202 (token expired) asks for a new token at once", async () => {
  const { reasons, sockets, clock, connected, closed } = asking();
  await connected();
  sockets.last.end(4202);
  await clock.advance(0);
  assert.deepEqual(reasons, ["first", "expired"]);
  assert.equal(tokenOf(sockets.last), "token-2");
  await closed();
});

test("a fixed token is all there is: it is tried again", async () => {
  const { client, sockets, clock, closed } = fakeClient({ token: fakeToken({ exp: 1 }) });
  void client.connect();
  await settle();
  sockets.last.end();
  await clock.advance(2_000);
  assert.equal(sockets.all.length, 2);
  assert.equal(tokenOf(sockets.all[0] as never), tokenOf(sockets.all[1] as never));
  await closed();
});

test("getToken that fails is announced with its cause and tried again with back-off", async () => {
  const cause = new Error("401 from /token");
  let calls = 0;
  const { client, sockets, clock, errors, states, closed } = fakeClient({
    token: undefined,
    getToken: () => {
      if (++calls < 4) throw cause;
      return "good";
    },
  });
  clock.chance = () => 0.999999;
  const ready = client.connect();
  await clock.advance(2_000 + 2_000 + 4_000);
  assert.equal(calls, 4);
  assert.deepEqual(
    errors.map(({ code, message, cause }) => ({ code, message, cause })),
    Array(3).fill({ code: "token_failed", message: "getToken: Error: 401 from /token", cause }),
  );
  assert.equal(states.filter(({ state }) => state === "disconnected").length, 3);
  sockets.last.accept();
  await ready;
  await closed();
});

for (const [what, answer] of [
  ["undefined", () => undefined],
  ["null", () => null],
  ["an empty string", () => ""],
  ["a number", () => 42],
  ["an object", async () => ({ token: "t" })],
  ["a rejection", () => Promise.reject(new Error("later"))],
] as const) {
  test(`getToken that answers ${what} is a failure, not a token`, async () => {
    const { client, sockets, errors, closed } = fakeClient({ token: undefined, getToken: answer as () => string });
    void client.connect();
    await settle();
    assert.equal(errors[0]?.code, "token_failed");
    assert.match(errors[0]?.message ?? "", /^getToken: /);
    assert.equal(sockets.all.length, 0);
    assert.equal(client.state, "disconnected");
    await closed();
  });
}

test("getToken that never answers is given up after connectTimeoutMs, its signal aborted", async () => {
  const signals: AbortSignal[] = [];
  const { client, clock, states, closed } = fakeClient({
    token: undefined,
    connectTimeoutMs: 5_000,
    getToken: ({ signal }) => {
      signals.push(signal);
      return new Promise<string>(() => {});
    },
  });
  void client.connect();
  await clock.advance(5_000);
  assert.equal(states.at(-1)?.reason?.code, "timeout");
  assert.equal(signals[0]?.aborted, true);
  await clock.advance(1_000);
  assert.equal(signals.length, 2);
  await closed();
  assert.equal(signals[1]?.aborted, true, "close() aborts it too");
});

test("getToken may close the client: the user has logged out", async () => {
  const { client, sockets, clock } = fakeClient({
    token: undefined,
    getToken: () => {
      void client.close();
      return "unused";
    },
  });
  await assert.rejects(client.connect(), { code: "not_connected" });
  await clock.advance(60_000);
  assert.equal(sockets.all.length, 0);
  assert.equal(clock.pending, 0);
});

/** Answers the refresh that was asked for last. */
const renewed = (sockets: { last: { reply(more: object): void } }, expiresAt: number | undefined) => sockets.last.reply({ expires_at: expiresAt, rights: [] });

for (const [lifeMs, expectedMs] of [
  [100_000, 80_000],
  [30_000, 20_000],
  [6_000, 5_000],
  [-4_000, 5_000],
] as const) {
  test(`a token with ${lifeMs} ms to live is renewed on the live connection after ${expectedMs} ms, and again`, async () => {
    const { client, reasons, clock, sockets, connected, closed } = asking();
    const time = START_MS - 50_000;
    await connected({ time, expires_at: time + lifeMs, ping_ms: 10_000_000 });
    await clock.advance(expectedMs - 1);
    assert.deepEqual(sockets.last.ops(), []);
    await clock.advance(1);
    assert.deepEqual(
      sockets.last.ops("refresh").map(({ token }) => token),
      ["token-2"],
    );
    renewed(sockets, time + expectedMs + lifeMs);
    await clock.advance(expectedMs);
    assert.deepEqual(
      sockets.last.ops("refresh").map(({ token }) => token),
      ["token-2", "token-3"],
    );
    assert.deepEqual(reasons, ["first", "expired", "expired"]);
    renewed(sockets, undefined);
    await clock.advance(1_000_000);
    assert.equal(reasons.length, 3, "a token without an end needs no renewal");
    assert.equal(client.state, "connected");
    assert.equal(sockets.all.length, 1);
    await closed();
  });
}

test("a renewal that fails is announced and tried again, and what was refused is not tried again", async () => {
  const { client, reasons, clock, sockets, errors, connected, closed } = asking();
  await connected({ expires_at: START_MS + 1_000_000, ping_ms: 10_000_000 });
  await clock.advance(800_000);
  sockets.last.refuseOp(1000);
  await settle();
  assert.deepEqual([errors[0]?.code, errors[0]?.serverCode], ["refused", 1000]);
  await clock.advance(160_000);
  assert.deepEqual(reasons, ["first", "expired", "refused"]);
  assert.deepEqual(
    sockets.last.ops("refresh").map(({ token }) => token),
    ["token-2", "token-3"],
  );
  renewed(sockets, START_MS + 3_000_000);
  assert.equal(client.state, "connected");
  await closed();
  assert.equal(clock.pending, 0);
});

test("a getToken that fails while renewing is asked again before the end, and its token serves the next connection", async () => {
  let healthy = true;
  const { clock, sockets, errors, connected, closed } = fakeClient({
    token: undefined,
    getToken: () => {
      if (!healthy) throw new Error("backend");
      return healthy ? `t${clock.now()}` : "";
    },
  });
  await connected({ expires_at: START_MS + 100_000, ping_ms: 10_000_000 });
  healthy = false;
  await clock.advance(90_000);
  assert.deepEqual([...new Set(errors.map(({ code }) => code))], ["token_failed"]);
  healthy = true;
  await clock.advance(10_000);
  assert.equal(sockets.last.ops("refresh").length, 1);
  const { token } = sockets.last.ops("refresh")[0] ?? {};
  renewed(sockets, START_MS + 10_000_000);
  await settle();
  sockets.last.end();
  await clock.advance(2_000);
  assert.equal(sockets.last.token, token);
  await closed();
});

test("a fixed token is not renewed, and a renewal under way ends with its connection", async () => {
  const fixed = fakeClient();
  await fixed.connected({ expires_at: START_MS + 60_000, ping_ms: 10_000_000 });
  await fixed.clock.advance(120_000);
  assert.deepEqual(fixed.sockets.last.ops(), []);
  await fixed.closed();
  const { clock, sockets, errors, connected, closed } = asking();
  await connected({ expires_at: START_MS + 60_000, ping_ms: 10_000_000 });
  await clock.advance(50_000);
  sockets.last.end();
  await clock.advance(2_000);
  assert.deepEqual(
    errors.map(({ code }) => code),
    ["connection_lost"],
  );
  assert.equal(sockets.last.token, "token-2");
  await closed();
  assert.equal(clock.pending, 0);
});
