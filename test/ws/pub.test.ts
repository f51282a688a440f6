// The messages of one connection: which are under way together, and in which order they are answered.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Published } from "../../server/src/publish/publish.ts";
import { createFixture, gate } from "./fixture.ts";

/** A session whose messages are accepted when the test says so; `under` names the receivers of those that are under way, oldest first. */
async function startSlow() {
  const fixture = createFixture({ rooms: ["r"] });
  await fixture.start();
  await fixture.ask({ op: "sub", id: "sub", room: "r" });
  fixture.sent.length = 0;
  const open: { name: string; data: string; gate: ReturnType<typeof gate<Published>>; refuse(error: Error): void }[] = [];
  fixture.publish = (_app, [target], { data }) => {
    const accepted = gate<Published>();
    const { promise, reject } = Promise.withResolvers<Published>();
    open.push({ name: target?.name ?? "", data, gate: accepted, refuse: reject });
    return Promise.race([accepted.promise, promise]);
  };
  const take = (name: string) => {
    const at = open.findIndex((each) => each.name === name);
    return open.splice(at, 1)[0] ?? assert.fail(`nothing is under way to ${name}`);
  };
  return {
    fixture,
    under: () => open.map(({ name, data }) => `${name}${data}`),
    async accept(name: string): Promise<void> {
      take(name).gate.open({ msgId: `to ${name}`, duplicate: false, positions: [undefined] });
      await turn();
    },
    async refuse(name: string, error: Error): Promise<void> {
      take(name).refuse(error);
      await turn();
    },
  };
}

test("messages to different receivers are under way together, those to one of them one after the other", async () => {
  const { fixture, under, accept } = await startSlow();
  fixture.receive({ op: "pub", id: 1, to: "bob", data: { n: 1 } });
  fixture.receive({ op: "pub", id: 2, to: "r", data: { n: 2 } });
  fixture.receive({ op: "pub", id: 3, room: "r", data: { n: 3 } });
  fixture.receive({ op: "pub", id: 4, to: "bob", data: { n: 4 } });
  fixture.receive({ op: "pub", id: 5, to: "carol", data: { n: 5 } });
  await turn();
  assert.deepEqual(under(), ['bob{"n":1}', 'r{"n":2}', 'r{"n":3}'], "an account and a room of one name are two receivers");
  await accept("bob");
  assert.deepEqual(under(), ['r{"n":2}', 'r{"n":3}', 'bob{"n":4}', 'carol{"n":5}']);
});

test("answers come in the order of the messages, whichever is accepted first, and whether it is accepted", async () => {
  const { fixture, accept, refuse } = await startSlow();
  for (const [id, to] of ["ann", "bob", "cid"].entries()) fixture.receive({ op: "pub", id, to, data: {} });
  fixture.receive({ op: "pub", id: 3, room: "closed", data: {} });
  await turn();
  await accept("cid");
  await refuse("bob", new XlveinError(ErrorCode.STORE_UNAVAILABLE, "the store does not answer"));
  assert.deepEqual(fixture.sent, []);
  await accept("ann");
  assert.deepEqual(
    fixture.sent.map(({ id, msg_id, code }) => [id, msg_id ?? code]),
    [
      [0, "to ann"],
      [1, 1008],
      [2, "to cid"],
      [3, 1011],
    ],
  );
});

test("another op waits for the messages before it, and finds what it always found", async () => {
  const { fixture, accept } = await startSlow();
  fixture.receive({ op: "pub", id: 1, to: "bob", data: {} });
  fixture.receive({ op: "pub", id: 2, room: "r", data: {} });
  fixture.receive({ op: "unsub", id: 3, room: "r" });
  fixture.receive({ op: "pub", id: 4, room: "r", data: {} });
  await turn();
  await accept("r");
  assert.deepEqual(fixture.sent, []);
  await accept("bob");
  await fixture.until(4);
  assert.deepEqual(
    fixture.sent.map(({ id, op, code }) => [id, op, code]),
    [
      [1, "reply", undefined],
      [2, "reply", undefined],
      [3, "reply", undefined],
      [4, "error", 1011],
    ],
  );
});

test("16 messages are under way together at most", async () => {
  const { fixture, under, accept } = await startSlow();
  for (let id = 0; id < 20; id++) fixture.receive({ op: "pub", id, to: `user_${id}`, data: {} });
  await turn();
  assert.equal(under().length, 16);
  await accept("user_7");
  assert.equal(under().length, 16);
  assert.equal(under().at(-1), "user_16{}");
  assert.deepEqual(fixture.sent, []);
});

test("a fault of the server costs one message its answer, not those after it", async () => {
  const { fixture, accept, refuse } = await startSlow();
  fixture.receive({ op: "pub", id: 1, to: "ann", data: {} });
  fixture.receive({ op: "pub", id: 2, to: "bob", data: {} });
  await turn();
  await refuse("ann", new Error("a bug with a secret in it"));
  await accept("bob");
  assert.deepEqual(
    fixture.sent.map(({ id, code, message }) => [id, code, message]),
    [
      [1, 500, "internal error"],
      [2, undefined, undefined],
    ],
  );
});
