// The end-to-end probe, interval by interval.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Probe } from "../../server/src/exchange/rabbitmq-probe.ts";

function watched() {
  const events: string[] = [];
  const state = { ready: true, confirm: true };
  let sent = "";
  const probe = new Probe({
    intervalMs: 5_000,
    ready: () => state.ready,
    send: (id) => {
      sent = id;
      return state.confirm ? Promise.resolve() : Promise.reject(new Error("not confirmed"));
    },
    unconfirmed: () => events.push("unconfirmed"),
    missing: (reason) => events.push(reason),
  });
  const tick = async () => {
    probe.tick();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { probe, tick, events, state, sent: () => sent };
}

test("probes that come back in time change nothing", async () => {
  const { probe, tick, events, sent } = watched();
  for (let n = 0; n < 10; n++) {
    await tick();
    probe.arrived();
    probe.probed(sent());
  }
  assert.deepEqual(events, []);
});

test("a probe that is confirmed and does not come is missed after one interval", async () => {
  const { tick, events } = watched();
  await tick();
  await tick();
  assert.deepEqual(events, ["nothing arrives"]);
});

test("a probe that is not confirmed shows that the way out is broken", async () => {
  const { tick, events, state } = watched();
  state.confirm = false;
  await tick();
  await tick();
  assert.deepEqual(events, ["unconfirmed"]);
});

test("behind a long queue a probe has four intervals, as long as other messages arrive", async () => {
  const { probe, tick, events, sent } = watched();
  await tick();
  for (let n = 0; n < 3; n++) {
    probe.arrived();
    await tick();
  }
  assert.deepEqual(events, []);
  probe.arrived();
  await tick();
  assert.deepEqual(events, ["the probe does not arrive"]);
  await tick();
  probe.arrived();
  await tick();
  probe.probed(sent());
  await tick();
  assert.equal(events.length, 1);
});

test("a probe that the broker sends back is missed at once, and one that is not ours is not", async () => {
  const { probe, tick, events, sent } = watched();
  await tick();
  probe.returned("probe 99");
  assert.deepEqual(events, []);
  probe.returned(sent());
  assert.deepEqual(events, ["the queue is not bound any more"]);
});

test("while the broker is away or takes no messages, none is missed", async () => {
  const { tick, events, state } = watched();
  await tick();
  state.ready = false;
  await tick();
  state.ready = true;
  await tick();
  assert.deepEqual(events, []);
});

test("a probe whose connection has ended is not missed on the next one, however it stood", async () => {
  for (const confirm of [true, false]) {
    const { probe, tick, events, state, sent } = watched();
    state.confirm = confirm;
    await tick();
    probe.forget();
    state.confirm = true;
    await tick();
    assert.equal(sent(), "probe 2");
    probe.probed(sent());
    await tick();
    assert.deepEqual(events, []);
  }
});

test("an old probe that comes late does not stand for the present one", async () => {
  const { probe, tick, events, state, sent } = watched();
  await tick();
  const old = sent();
  state.ready = false;
  await tick();
  state.ready = true;
  await tick();
  probe.probed(old);
  await tick();
  assert.deepEqual(events, ["nothing arrives"]);
});
