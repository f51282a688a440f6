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

const tokenOf = (socket: { url: string }) => new URL(socket.url).searchParams.get("token");

test("the first connection asks for a token, a reconnection uses it again", async () => {
  const { reasons, sockets, clock, connected, closed } = asking();
  await connected();
  sockets.last.end(1012);
  await clock.advance(500);
  assert.deepEqual(sockets.all.map(tokenOf), ["token-1", "token-1"]);
  assert.deepEqual(reasons, ["first"]);
  await closed();
});

test("a token given beside getToken is used until it is no good", async () => {
  const { reasons, sockets, clock, connected, closed } = asking({ token: "given" });
  await connected();
  assert.deepEqual(reasons, []);
  sockets.last.end();
  await clock.advance(2_000);
  sockets.last.end();
  await clock.advance(2_000);
  assert.deepEqual(sockets.all.map(tokenOf), ["given", "given", "token-1"]);
  await closed();
});

test("a handshake that fails may have been refused: the next attempt asks again", async () => {
  const { reasons, sockets, clock, client, errors, closed } = asking();
  void client.connect();
  await settle();
  sockets.last.end(1006);
  assert.equal(errors[0]?.code, "connect_failed");
  assert.equal(errors[0]?.closeCode, 1006);
  await clock.advance(2_000);
  assert.deepEqual(reasons, ["first", "refused"]);
  assert.equal(tokenOf(sockets.last), "token-2");
  sockets.last.accept();
  sockets.last.end(1012);
  await clock.advance(4_000);
  assert.equal(tokenOf(sockets.last), "token-2", "one that has served is used again");
  assert.equal(sockets.all.length, 3);
  await closed();
});

test("a token whose exp has passed, or passes within 10 s, is not used for another connection", async () => {
  for (const [secondsLeft, expected] of [
    [-1, ["expired"]],
    [10, ["expired"]],
    [11, []],
  ] as const) {
    const { reasons, connected, closed } = asking({ token: fakeToken({ sub: "用户_1", exp: START_MS / 1000 + secondsLeft }) });
    await connected();
    assert.deepEqual(reasons, expected);
    await closed();
  }
});

test("a token without exp, or that is no JWT, is used as it is", async () => {
  for (const token of [fakeToken({ sub: "user_1" }), "plain", "a.b.c", fakeToken({ exp: "soon" })]) {
    const { reasons, connected, closed } = asking({ token });
    await connected();
    assert.deepEqual(reasons, []);
    await closed();
  }
});

test("close code 4202 (token expired) asks for a new token at once", async () => {
  const { reasons, sockets, clock, connected, closed } = asking();
  await connected();
  sockets.last.end(4202);
  await clock.advance(0);
  assert.deepEqual(reasons, ["first", "refused"]);
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
    Array(3).fill({ code: "token_failed", message: "getToken: 401 from /token", cause }),
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
  assert.match(states.at(-1)?.reason?.message ?? "", /getToken/);
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
