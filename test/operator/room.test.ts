// How many applications the Secret takes, and what becomes of those that come when it is full.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { createLog } from "../../server/src/log.ts";
import { compose, type Entry, textsOf } from "../../server/src/operator/aggregate.ts";
import { createOperator, type Operator } from "../../server/src/operator/operator.ts";
import { createRoom } from "../../server/src/operator/room.ts";
import { bytesOf, ROOM_FOR_NEW_BYTES, toData } from "../../server/src/operator/secret-data.ts";
import { application, entry, NOW } from "./sample.ts";
import { createWorld, parsed, shown, type World } from "./world.ts";

/** Some 13 KB, which compression halves. */
const origins = () => Array.from({ length: 64 }, () => `https://${Array.from({ length: 3 }, () => randomBytes(30).toString("hex")).join(".")}.example.com`);
const large = (name: string): Entry => entry(application(name), undefined, { fields: { allowed_origins: origins() } });
const packedBytes = (entries: readonly Entry[]) => bytesOf(toData(textsOf(compose(entries, undefined, NOW)), true));

test("as many are admitted as really fit, from the first on, and not one more", () => {
  const entries = Array.from({ length: 160 }, (_, i) => large(`a${i}`));
  const admitted = createRoom().admit({ staying: [], arriving: entries, current: undefined, nowMs: NOW });
  assert.ok(admitted > 120 && admitted < 160, `${admitted} admitted`);
  assert.ok(packedBytes(entries.slice(0, admitted)) <= ROOM_FOR_NEW_BYTES);
  assert.ok(packedBytes(entries.slice(0, admitted + 1)) > ROOM_FOR_NEW_BYTES);
});

test("beside a full set there is no room for another, a small one still fits, and there is room again when one has gone", () => {
  const room = createRoom();
  const entries = Array.from({ length: 160 }, (_, i) => large(`a${i}`));
  const staying = entries.slice(0, room.admit({ staying: [], arriving: entries, current: undefined, nowMs: NOW }));
  const full = { staying, current: compose(staying, undefined, NOW), nowMs: NOW };
  const another = large("another");
  assert.equal(room.admit({ ...full, arriving: [another] }), 0);
  assert.equal(room.admit({ ...full, arriving: [another] }), 0);
  assert.equal(room.admit({ ...full, arriving: [entry(application("small"))] }), 1);
  const fewer = staying.slice(1);
  assert.equal(room.admit({ staying: fewer, current: compose(fewer, full.current, NOW), nowMs: NOW, arriving: [another] }), 1);
});

test("what no server would unpack finds no room, however well it is compressed", () => {
  const wordy = (i: number) =>
    entry(application(`a${i}`), undefined, { fields: { allowed_origins: Array.from({ length: 64 }, () => "https://".padEnd(250, "a")) } });
  const arriving = Array.from({ length: 1_200 }, (_, i) => wordy(i));
  const admitted = createRoom().admit({ staying: [], arriving, current: undefined, nowMs: NOW });
  const bytes = Buffer.byteLength(textsOf(compose(arriving.slice(0, admitted), undefined, NOW)).applications);
  assert.ok(bytes <= 16 * 1_048_576 && bytes > 15.9 * 1_048_576, `${bytes} bytes`);
});

async function operate(t: Pick<TestContext, "after">, world: World): Promise<Operator> {
  const operator = createOperator({
    kube: world.kube,
    ...{ namespace: "push", applicationsSecret: "applications", serverService: "servers", serverPort: 8091, watchNamespaces: ["shop"], version: "0" },
    rules: { server: "xlvein", allowForeign: false },
    addresses: { connectUrl: "wss://push.example.com/ws/connect", pushUrl: "https://push.example.com" },
    election: undefined,
    internal: { host: "127.0.0.1", port: 0 },
    log: createLog({ level: "silent" }),
    askServer: async () => Number.MAX_SAFE_INTEGER,
  });
  t.after(() => operator.close());
  await operator.start();
  return operator;
}

test("an operator fills the Secret, says NoRoom to the rest, and writes plain text again when few are left", async (t) => {
  const world = createWorld();
  world.endpoints = [{ addresses: ["192.0.2.1"], ready: true, pod: "a" }];
  const names = Array.from({ length: 160 }, (_, i) => `a${i}`);
  const reasons = (reason: string) =>
    names.filter((name) => {
      const status = world.statuses.get(`shop/${name}`) as { conditions: { type: string; reason: string }[] } | undefined;
      return status?.conditions.some((each) => each.type === "Ready" && each.reason === reason);
    });
  const keys = () => (parsed(world.secrets.get("push/applications")) as { applications: { app_key: string }[] }).applications.map(({ app_key: key }) => key);
  world.applications.push(...names.map((name) => shown("shop", name, { allowedOrigins: origins() })));
  const first = await operate(t, world);
  await world.until(() => reasons("Ready").length + reasons("NoRoom").length === names.length);
  assert.deepEqual(Object.keys(world.secrets.get("push/applications")?.data ?? {}), ["applications.json.gz", "operator.json.gz"]);
  const served = keys();
  assert.deepEqual(
    served,
    reasons("Ready")
      .map((name) => `shop.${name}`)
      .sort(),
  );
  assert.ok(served.length > 120 && served.length < 160, `${served.length} served`);
  await first.close();

  const [outside] = reasons("NoRoom");
  const inside = reasons("Ready").slice(0, 20);
  const secretOf = (name: string) => JSON.stringify(world.secrets.get(`shop/${name}-xlvein`)?.data);
  const before = inside.map(secretOf);
  world.applications.splice(0, world.applications.length, ...[...inside, outside ?? assert.fail()].map((name) => shown("shop", name)));
  await operate(t, world);
  await world.until(() => reasons("Ready").includes(outside ?? "") && "applications.json" in (world.secrets.get("push/applications")?.data ?? {}));
  assert.deepEqual(keys(), [...inside, outside].map((name) => `shop.${name}`).sort());
  assert.deepEqual(inside.map(secretOf), before);
});
