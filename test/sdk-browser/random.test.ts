// Random lives of a client: whatever happens in whatever order, there is one socket at most and nothing is left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { State } from "../../sdk-browser/src/index.ts";
import { createRandom } from "../helpers/random.ts";
import { FakeClock, fakeClient, frame, settle } from "./doubles.ts";

const SEEDS = 400;
const STEPS = 60;

async function live(seed: number): Promise<void> {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const asked: { signal: AbortSignal; answer(token: string): void; refuse(error: Error): void }[] = [];
  let healthy = false;

  const it = fakeClient({
    token: undefined,
    getToken: ({ signal }) => {
      if (healthy || random() < 0.4) return "token";
      if (random() < 0.2) throw new Error("no token");
      return new Promise((answer, refuse) => asked.push({ signal, answer, refuse }));
    },
  });
  const { client, clock, sockets, page, states } = it;
  clock.chance = random;
  client.on("state", () => {
    const deed = healthy ? 1 : random();
    if (deed < 0.02) void client.close();
    else if (deed < 0.04) void client.connect();
    else if (deed < 0.06) page.network(!page.navigator.onLine);
  });

  const opening = () => sockets.all.filter((socket) => socket.readyState === 0);
  const open = () => sockets.all.filter((socket) => socket.readyState === 1);
  const closing = () => sockets.all.filter((socket) => socket.readyState === 2);
  const deeds: (() => unknown)[] = [
    () => client.connect(),
    () => client.connect(),
    () => random() < 0.3 && client.close(),
    () => client.send("a", {}).catch(() => {}),
    () => page.network(random() < 0.6),
    () => page.fire("pagehide"),
    () => page.fire("pageshow"),
    () => page.look(random() < 0.5),
    () => opening()[0]?.accept(),
    () => opening()[0]?.accept(),
    () => opening()[0]?.end(1006),
    () => opening()[0]?.fail(true),
    () => open()[0]?.receive(frame({})),
    () => open()[0]?.end(pick([1000, 1001, 1006, 1008, 1009, 1012, 1013, 4003, 4010, 4100, 4200, 4202]), pick(["", '{"retry_after_ms":3000}'])),
    () => closing()[0]?.end(1000),
    () => pick([...asked, undefined])?.answer("later"),
    () => pick([...asked, undefined])?.refuse(new Error("later")),
  ];
  const pauses = [() => settle(), () => settle(), () => clock.advance(pick([0, 1, 10, 300, 900, 1_000, 3_000, 25_000]))];

  const trace: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const deed = pick(deeds);
    trace.push(String(deed));
    void deed();
    // Half of the time the next thing happens before promises have run.
    if (random() < 0.5) await pick(pauses)();
    check(trace);
  }
  await recover();
  await bury();

  function check(seen: readonly string[]): void {
    const where = () => `seed ${seed}, after ${seen.slice(-8).join(" ; ")}`;
    assert.ok(sockets.most <= 1, `two sockets at once: ${where()}`);
    assert.equal(client.state === "connected", open().length === 1, `${client.state} with ${open().length} open sockets: ${where()}`);
    if (client.state === "idle" || client.state === "closed") {
      assert.equal(page.listeners, 0, `the page is still watched: ${where()}`);
      assert.equal(opening().length, 0, `a socket is still opening: ${where()}`);
    }
    if (client.state === "disconnected") assert.equal(opening().length, 0, `disconnected and opening: ${where()}`);
    let last: State = "idle";
    for (const { state, previous } of states) {
      assert.equal(previous, last, `an event was lost or doubled: ${where()}`);
      assert.notEqual(state, previous, `no change was announced: ${where()}`);
      last = state;
    }
  }

  /** Everything gets well: the client must come back. */
  async function recover(): Promise<void> {
    healthy = true;
    page.navigator.onLine = true;
    for (const type of ["pageshow", "online"]) page.fire(type);
    for (let i = 0; i < 100 && client.state !== "connected"; i++) {
      if (client.state === "idle" || client.state === "closed") void client.connect();
      for (const socket of closing()) socket.end(1000);
      opening()[0]?.accept();
      await clock.advance(1_000);
    }
    assert.equal(client.state, "connected", `seed ${seed}: the client did not come back`);
    check(["recover"]);
  }

  async function bury(): Promise<void> {
    await it.closed();
    assert.equal(clock.pending, 0, `seed ${seed}: a timer is left`);
    assert.equal(page.listeners, 0, `seed ${seed}: a listener is left`);
    assert.equal(sockets.all.filter((socket) => socket.readyState < 3).length, 0, `seed ${seed}: a socket is left`);
    assert.equal(sockets.most, 1);
    const made = sockets.all.length;
    for (const { signal, answer } of asked) {
      assert.ok(signal.aborted, `seed ${seed}: getToken was not told`);
      answer("too late");
    }
    for (const type of ["online", "pageshow", "visibilitychange"]) page.fire(type);
    await clock.advance(60_000);
    assert.equal(sockets.all.length, made, `seed ${seed}: a socket after close`);
  }
}

test(`in ${SEEDS} random lives there are never two sockets, the client comes back, and close() leaves nothing`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await live(seed);
});

test("the fake clock runs timers in order of time and calls off what it should", async () => {
  const clock = new FakeClock();
  const seen: number[] = [];
  clock.after(20, () => seen.push(20));
  clock.after(10, () => {
    seen.push(10);
    clock.after(5, () => seen.push(15));
  });
  clock.after(12, () => seen.push(12))();
  await clock.advance(19);
  assert.deepEqual(seen, [10, 15]);
  await clock.advance(1);
  assert.deepEqual(seen, [10, 15, 20]);
});
