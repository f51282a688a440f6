// What the page does to a client: network, back/forward cache, visibility.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClient, settle } from "./doubles.ts";

test("connect() without a network waits for it", async () => {
  const { client, sockets, clock, page, states, errors, closed } = fakeClient();
  page.navigator.onLine = false;
  void client.connect();
  await clock.advance(600_000);
  assert.equal(client.state, "disconnected");
  assert.equal(states.at(-1)?.reason?.code, "offline");
  assert.equal(states.at(-1)?.retryInMs, undefined);
  assert.equal(sockets.all.length, 0);
  assert.equal(clock.pending, 0);
  assert.deepEqual(errors, [], "being offline is no fault");
  page.network(true);
  await settle();
  assert.equal(sockets.all.length, 1);
  await closed();
});

test("going offline drops a connection that can no longer be trusted; coming back makes one new", async () => {
  const { client, sockets, clock, page, states, connected, closed } = fakeClient();
  await connected();
  page.network(false);
  assert.equal(client.state, "disconnected");
  assert.equal(states.at(-1)?.reason?.code, "offline");
  await clock.advance(600_000);
  assert.equal(sockets.all.length, 1);
  sockets.last.end();
  page.network(true);
  page.network(true);
  page.look(true);
  await settle();
  assert.equal(sockets.all.length, 2);
  sockets.last.accept();
  assert.equal(client.state, "connected");
  assert.equal(sockets.most, 1);
  await closed();
});

test("coming back waits for the old socket to end, but not longer than a second", async () => {
  const { sockets, clock, page, connected, closed } = fakeClient();
  await connected();
  page.network(false);
  page.network(true);
  await clock.advance(999);
  assert.equal(sockets.all.length, 1);
  await clock.advance(1);
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("going offline while the token is asked for aborts the question, and its late answer is not used", async () => {
  let answer = (_: string) => {};
  const signals: AbortSignal[] = [];
  const { client, sockets, page, closed } = fakeClient({
    getToken: ({ signal }) => {
      signals.push(signal);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    token: undefined,
  });
  void client.connect();
  await settle();
  page.network(false);
  assert.equal(signals[0]?.aborted, true);
  answer("late");
  await settle();
  assert.equal(sockets.all.length, 0);
  page.network(true);
  await settle();
  assert.equal(signals.length, 2, "the late answer is not kept either");
  answer("fresh");
  await settle();
  assert.equal(sockets.last.token, "fresh");
  await closed();
});

test("going offline while waiting for a retry stops the wait", async () => {
  const { client, sockets, clock, page, closed } = fakeClient();
  void client.connect();
  await settle();
  sockets.last.end();
  assert.equal(clock.pending, 1);
  page.network(false);
  assert.equal(clock.pending, 0);
  await clock.advance(600_000);
  assert.equal(sockets.all.length, 1);
  page.network(true);
  await settle();
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("online that races with the retry timer makes one socket", async () => {
  const { client, sockets, clock, page, closed } = fakeClient();
  void client.connect();
  await settle();
  sockets.last.end();
  clock.after(1_000, () => page.network(true));
  await clock.advance(1_000);
  await clock.advance(10_000);
  assert.equal(sockets.all.length, 2);
  await closed();
});

for (const url of ["http://127.0.0.1:8090", "http://localhost:8090", "http://[::1]:8090", "http://app.localhost"]) {
  test(`a server on this machine (${url}) is reached without a network`, async () => {
    const { client, page, connected, closed } = fakeClient({ url });
    page.navigator.onLine = false;
    await connected();
    page.network(false);
    assert.equal(client.state, "connected");
    await closed();
  });
}

test("a host that only looks local is not", async () => {
  const { client, page } = fakeClient({ url: "http://localhost.example.com" });
  page.navigator.onLine = false;
  void client.connect();
  assert.equal(client.state, "disconnected");
  await client.close();
});

test("a page that goes into the back/forward cache closes its socket and reconnects when it returns", async () => {
  const { client, sockets, clock, page, states, errors, connected, closed } = fakeClient();
  await connected();
  page.fire("pagehide");
  assert.equal(sockets.last.readyState, 2);
  assert.equal(client.state, "disconnected");
  assert.equal(states.at(-1)?.reason?.code, "page_hidden");
  assert.deepEqual(errors, []);
  sockets.last.end(1000);
  page.network(true);
  page.look(true);
  await clock.advance(600_000);
  assert.equal(sockets.all.length, 1, "only pageshow brings it back");
  page.fire("pageshow");
  await settle();
  assert.equal(sockets.all.length, 2);
  assert.equal(clock.pending, 1, "the handshake's limit, and no timer of the time before");
  await closed();
});

test("pageshow without a network keeps waiting for the network", async () => {
  const { sockets, page, connected, closed } = fakeClient();
  await connected();
  page.fire("pagehide");
  sockets.last.end(1000);
  page.network(false);
  page.fire("pageshow");
  await settle();
  assert.equal(sockets.all.length, 1);
  page.network(true);
  await settle();
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("a hidden page keeps its connection; becoming visible retries at once", async () => {
  const { client, sockets, page, connected, closed } = fakeClient();
  await connected();
  page.look(false);
  page.look(true);
  assert.equal(client.state, "connected");
  page.look(false);
  sockets.last.end();
  page.fire("visibilitychange");
  await settle();
  assert.equal(sockets.all.length, 1);
  page.look(true);
  await settle();
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("a page without navigator and document (a worker, Node) is fine", async () => {
  const { client, connected, closed } = fakeClient({ page: { addEventListener: () => {}, removeEventListener: () => {} } });
  await connected();
  assert.equal(client.state, "connected");
  await closed();
});

test("a closed client does not listen to the page", async () => {
  const { sockets, page, connected, closed } = fakeClient();
  await connected();
  await closed();
  for (const type of ["online", "offline", "pagehide", "pageshow", "visibilitychange"]) page.fire(type);
  await settle();
  assert.equal(sockets.all.length, 1);
});
