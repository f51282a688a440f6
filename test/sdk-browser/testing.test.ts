// The fake server of `@xlvein/browser/testing`: its controls, and that through any trouble they make a client gets all, in order, once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientOptions, createClient, type GapEvent, type StateChange, type XlveinError } from "../../sdk-browser/src/index.ts";
import { createFakeServer, type FakeServerOptions, type TokenRights } from "../../sdk-browser/src/testing.ts";
import { createRandom } from "../helpers/random.ts";
import { FakeClock, settle } from "./doubles.ts";

function start(options: FakeServerOptions = {}, rights: TokenRights = {}, more: Partial<ClientOptions> = {}) {
  const clock = new FakeClock();
  const server = createFakeServer({ clock, ...options });
  const client = createClient({ url: "https://fake", appKey: "test", token: server.token("alice", rights), WebSocket: server.WebSocket, clock, ...more });
  const seen: unknown[] = [];
  const gaps: GapEvent[] = [];
  const states: StateChange[] = [];
  const errors: XlveinError[] = [];
  client.on("message", ({ data }) => seen.push(data["n"]));
  client.on("gap", (gap) => gaps.push(gap));
  client.on("state", (change) => states.push(change));
  client.on("error", (error) => errors.push(error));
  const line = () => server.connections.at(-1) ?? assert.fail("nobody is connected");
  return { clock, server, client, seen, gaps, states, errors, line };
}

test("a connection can be looked at, cut and closed", async () => {
  const { clock, server, client, states, line } = start({}, { rooms: ["r"] }, { deviceId: "phone-1" });
  await Promise.all([client.connect(), client.room("r").subscribe()]);
  assert.deepEqual([line().account, line().deviceId, line().rooms, line().id], ["alice", "phone-1", ["r"], client.connectionId]);
  line().cut();
  await settle();
  assert.equal(states.at(-1)?.reason?.closeCode, 1006);
  assert.deepEqual(server.connections, []);
  await clock.advance(2_000);
  line().close(4200, '{"retry_after_ms":700}');
  await settle();
  assert.equal(states.at(-1)?.reason?.closeCode, 4200);
  assert.ok((states.at(-1)?.retryInMs ?? 0) >= 700);
  await client.close();
  server.close();
  assert.equal(clock.pending, 0);
});

test("refuse() refuses with a close code, or makes the server unreachable, until it is taken back", async () => {
  const { clock, server, client, errors } = start();
  server.refuse(4101);
  const ready = client.connect();
  await settle();
  server.refuse(1006);
  await clock.advance(3_000);
  server.refuse();
  await clock.advance(4_000);
  await ready;
  assert.deepEqual([...new Set(errors.map(({ closeCode }) => closeCode))], [4101, 1006]);
  await client.close();
});

test("fail() answers the next ops of a kind with an error; one that may be retried is done in the end", async () => {
  const { clock, server, client } = start();
  await client.connect();
  server.fail("pub", 1004);
  await assert.rejects(client.send("bob", {}), { serverCode: 1004 });
  server.fail("pub", 1007, { times: 2, retryAfterMs: 100 });
  const sent = client.send("bob", {});
  await clock.advance(5_000);
  assert.equal((await sent).offset, 1);
  await client.close();
});

test("hold() is a network that has gone silent: the client finds out, and has lost nothing", async () => {
  const { clock, server, client, seen, gaps, states, line } = start({ pingMs: 25_000 });
  await client.connect();
  await clock.advance(100_000);
  assert.equal(states.at(-1)?.state, "connected", "pings keep it");
  line().hold();
  server.push({ accounts: ["alice"], data: { n: 1 } });
  await clock.advance(35_000);
  assert.equal(states.find(({ reason }) => reason)?.reason?.code, "timeout");
  await clock.advance(5_000);
  assert.deepEqual([client.state, seen, gaps], ["connected", [1], []]);
  await client.close();
});

for (const [gap, expected, announced] of [
  [undefined, [1, 2, 3, 4], []],
  ["dropped", [1, 2, 3, 4], []],
  ["lost", [1, 4], [{ stream: "account", reason: "lost", from: 2, to: 3 }]],
] as const) {
  test(`release(${gap ?? ""}) lets ${gap ? `a gap (${gap}) stand for what was held` : "all through"}`, async () => {
    const { server, client, seen, gaps, line } = start();
    await client.connect();
    const push = (n: number) => server.push({ accounts: ["alice"], data: { n } });
    push(1);
    line().hold();
    push(2);
    push(3);
    line().release(gap);
    push(4);
    await settle();
    assert.deepEqual(seen, expected);
    assert.deepEqual(gaps, announced);
    await client.close();
  });
}

test("a gap that history cannot make good is announced", async () => {
  const { server, client, seen, gaps, line } = start({ history: 1 });
  await client.connect();
  line().hold();
  for (const n of [1, 2, 3]) server.push({ accounts: ["alice"], data: { n } });
  line().release("dropped");
  await settle();
  assert.deepEqual(gaps, [{ stream: "account", reason: "dropped", from: 1, to: 3 }]);
  server.push({ accounts: ["alice"], data: { n: 4 } });
  await settle();
  assert.deepEqual(seen, [4]);
  await client.close();
});

test("loseStore() is a gap for who is connected, and epoch_changed for who was away", async () => {
  const { clock, server, client, seen, gaps, line } = start();
  await client.connect();
  server.push({ accounts: ["alice"], data: { n: 1 } });
  server.loseStore();
  server.push({ accounts: ["alice"], data: { n: 2 } });
  await settle();
  assert.deepEqual(
    gaps.splice(0).map(({ stream, reason }) => [stream, reason]),
    [
      ["account", "lost"],
      ["app", "lost"],
    ],
  );
  assert.deepEqual(seen, [1, 2]);
  line().cut();
  await settle();
  server.loseStore();
  await clock.advance(2_000);
  assert.deepEqual(
    gaps.map(({ stream, reason }) => [stream, reason]),
    [
      ["account", "epoch_changed"],
      ["app", "epoch_changed"],
    ],
  );
  await client.close();
});

test("without a store (history: 0) messages have no place and nothing is recovered", async () => {
  const { clock, server, client, seen, gaps, line } = start({ history: 0 });
  await client.connect();
  server.push({ accounts: ["alice"], data: { n: 1 } });
  assert.deepEqual(Object.keys(await client.send("bob", {})).sort(), ["duplicate", "msgId"]);
  await settle();
  line().cut();
  await settle();
  server.push({ accounts: ["alice"], data: { n: 2 } });
  await clock.advance(2_000);
  assert.deepEqual([seen, gaps.map(({ reason }) => reason)], [[1], ["store_unavailable", "store_unavailable"]]);
  await client.close();
});

test("a token that ends closes the connection with 4202, a room token its room", async () => {
  const { clock, server, client, states } = start({ pingMs: 1_000_000_000 }, { expiresInSeconds: 60 });
  const seen: unknown[] = [];
  client.on("membership", (event) => seen.push(event));
  await Promise.all([client.connect(), client.room("r", { token: server.roomToken("alice", "r", { expiresInSeconds: 30 }) }).subscribe()]);
  await clock.advance(30_000);
  assert.deepEqual(seen, [{ room: "r", member: false, reason: "token_expired" }]);
  await clock.advance(35_000);
  assert.equal(states.find(({ reason }) => reason)?.reason?.closeCode, 4202);
  await client.close();
});

test("in 200 random lives every message of every stream arrives once and in order, and every send is delivered once", async () => {
  for (let seed = 1; seed <= 200; seed++) await live(seed);
});

async function live(seed: number): Promise<void> {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const { clock, server, client, gaps } = start({ history: 10_000, recoverMessages: 10_000, pingMs: 25_000 }, { rooms: ["r"], expiresInSeconds: 100_000 });
  const bob = createClient({ url: "https://fake", appKey: "test", token: server.token("bob"), WebSocket: server.WebSocket, clock });
  clock.chance = random;
  const got: Record<string, number[]> = { account: [], app: [], room: [], bob: [] };
  const sent: Record<string, number[]> = { account: [], app: [], room: [], bob: [] };
  client.on("message", ({ room, to, data }) => got[room ? "room" : to ? "account" : "app"]?.push(data["n"] as number));
  bob.on("message", ({ data }) => got["bob"]?.push(data["n"] as number));
  await Promise.all([client.connect(), bob.connect(), client.room("r").subscribe()]);
  let n = 0;
  let failing = 0;
  const tell = (stream: string, send: (data: { n: number }) => unknown) => {
    sent[stream]?.push(++n);
    void send({ n });
  };
  const ours = () => server.connections.find(({ account }) => account === "alice");
  const deeds: (() => unknown)[] = [
    () => tell("account", (data) => server.push({ accounts: ["alice"], data })),
    () => tell("app", (data) => server.push({ everyone: true, data })),
    () => tell("room", (data) => server.push({ rooms: ["r"], data })),
    () => tell("bob", (data) => client.send("bob", data)),
    () => ours()?.cut(),
    () => ours()?.close(pick([4200, 4203, 4103])),
    () => ours()?.hold(),
    () => ours()?.release(),
    () => ours()?.release("dropped"),
    () => failing++ < 3 && server.fail("history", 1007),
    () => failing++ < 3 && server.fail("sub", 1008),
    () => settle(),
    () => clock.advance(pick([0, 1, 100, 2_000])),
  ];
  const trace: string[] = [];
  for (let step = 0; step < 80; step++) {
    const deed = pick(deeds);
    trace.push(String(deed));
    // Losing the answer to a send twice gives it up: that is another test's.
    const quiet = /cut|close|hold|release/.test(String(deed));
    if (quiet) await settle();
    await deed();
    if (quiet) await clock.advance(2_000);
  }
  ours()?.release();
  for (let i = 0; i < 60; i++) await clock.advance(1_000);
  const about = `seed ${seed}: ${trace.slice(-12).join(" ; ")}`;
  // What was sent to everyone reaches bob as well.
  got["bob"] = got["bob"]?.filter((value) => sent["bob"]?.includes(value)) ?? [];
  got["bob"]?.sort((a, b) => a - b);
  assert.deepEqual(got, sent, about);
  assert.deepEqual(gaps, [], about);
  await Promise.all([client.close(), bob.close()]);
  server.close();
  assert.equal(clock.pending, 0, about);
}
