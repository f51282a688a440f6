// The arguments of the bench.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PeerOptions, type RunOptions, readOptions } from "./options.ts";
import type { Scenario } from "./scenario.ts";

const scenario = (name: string, fullOnly = false): Scenario => ({ name, title: name, fullOnly, run: async () => ({ ratios: [] }) });
const all = [scenario("fanout"), scenario("push"), scenario("rabbitmq", true)];
const names = (args: readonly string[]) => (readOptions(args, all) as RunOptions).scenarios.map(({ name }) => name);

test("a full run takes everything, a quick one leaves out what is slow unless it is named", () => {
  assert.deepEqual(names([]), ["fanout", "push", "rabbitmq"]);
  assert.deepEqual(names(["--quick"]), ["fanout", "push"]);
  assert.deepEqual(names(["--quick", "--only=rabbitmq,fanout"]), ["fanout", "rabbitmq"]);
});

test("results are kept after a full run of everything, or when asked for", () => {
  const saves = (...args: string[]) => (readOptions(args, all) as RunOptions).save;
  assert.deepEqual([saves(), saves("--quick"), saves("--only=push"), saves("--quick", "--save")], [true, false, false, true]);
});

test("goals are judged in a full run, of everything or not; in a quick one when asked for", () => {
  const judges = (...args: string[]) => (readOptions(args, all) as RunOptions).goals;
  assert.deepEqual([judges(), judges("--only=push"), judges("--quick"), judges("--quick", "--goals")], [true, true, false, true]);
});

test("a scenario that does not exist is named, with those that do", () => {
  assert.throws(() => readOptions(["--only=push,nope"], all), /no scenario "nope"; there is fanout, push, rabbitmq/);
  assert.throws(() => readOptions(["--only="], all), /no scenario ""/);
});

test("a peer needs an address, a protocol that is known, and whole numbers", () => {
  const peer = ["--peer=http://127.0.0.1:1"];
  assert.throws(() => readOptions(peer, all), /--protocol=xlvein\|socketio\|pusher\|centrifugo$/);
  assert.throws(() => readOptions([...peer, "--protocol=smtp"], all), /not "smtp"/);
  assert.throws(() => readOptions(["--peer=ftp://x", "--protocol=pusher"], all), /"ftp:\/\/x" is no http/);
  for (const wrong of ["--sockets=0", "--messages=1.5", "--rate=fast", "--pid=-1"])
    assert.throws(() => readOptions([...peer, "--protocol=pusher", wrong], all), /no whole number/);
  const options = readOptions([...peer, "--protocol=socketio", "--sockets=7", "--event=chat"], all) as PeerOptions;
  assert.deepEqual([options.kind, options.protocol, options.sockets, options.event, options.pid], ["peer", "socketio", 7, "chat", undefined]);
});

test("what belongs to a peer is refused without one, and the reverse", () => {
  for (const alone of ["--protocol=pusher", "--sockets=5", "--event=x", "--pid=1"]) assert.throws(() => readOptions([alone], all), /goes with --peer/);
  for (const other of ["--quick", "--only=push", "--goals", "--save"])
    assert.throws(() => readOptions(["--peer=http://a", "--protocol=pusher", other], all), /--peer goes without/);
  assert.throws(() => readOptions(["--fast"], all), /--fast/);
});
