// An operator that may not list one of its namespaces: the others are served, and nobody loses what is in force.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createLog } from "../../server/src/log.ts";
import { createOperator, type Operator } from "../../server/src/operator/operator.ts";
import { createWorld, parsed, shown, type World } from "./world.ts";

const SERVERS = "push/applications";

/** Starts an operator; `lines` is its log. */
async function operate(t: Pick<TestContext, "after">, world: World) {
  const lines: string[] = [];
  const operator: Operator = createOperator({
    kube: world.kube,
    ...{ namespace: "push", applicationsSecret: "applications", serverService: "servers", serverPort: 8091, watchNamespaces: ["shop", "gone"], version: "0" },
    rules: { server: "xlvein", allowForeign: false },
    addresses: { connectUrl: "wss://push.example.com/ws/connect", pushUrl: "https://push.example.com" },
    election: undefined,
    internal: { host: "127.0.0.1", port: 0 },
    log: createLog({ level: "info", destination: { write: (line) => lines.push(line) && world.touch() } }),
    askServer: async () => Number.MAX_SAFE_INTEGER,
  });
  t.after(() => operator.close());
  return { operator, url: await operator.start(), lines };
}

const keys = (world: World): string[] => {
  const secret = world.secrets.get(SERVERS);
  return secret === undefined ? [] : (parsed(secret) as { applications: { app_key: string }[] }).applications.map(({ app_key: key }) => key);
};
const given = (world: World, wanted: readonly string[]) => world.until(() => keys(world).join() === wanted.join());
const readyOf = (world: World, key: string) =>
  (world.statuses.get(key) as { conditions: { type: string; reason: string }[] } | undefined)?.conditions.find(({ type }) => type === "Ready")?.reason;

test("a namespace that may not be listed holds nobody up, keeps what it has, and loses only what is really gone", async (t) => {
  const world = createWorld();
  world.endpoints = [{ addresses: ["192.0.2.1"], ready: true, pod: "a" }];
  world.applications.push(shown("shop", "a"), shown("gone", "b", { appKey: "taken" }));
  const first = await operate(t, world);
  await given(world, ["shop.a", "taken"]);
  await first.operator.close();
  const before = JSON.stringify((parsed(world.secrets.get(SERVERS)) as { applications: object[] }).applications[1]);

  world.forbidden.add("gone");
  world.applications.splice(0, 2, shown("shop", "a"), shown("shop", "c"), shown("shop", "d", { appKey: "taken" }));
  const { url } = await operate(t, world);
  await given(world, ["shop.a", "shop.c", "taken"]);
  assert.equal(JSON.stringify((parsed(world.secrets.get(SERVERS)) as { applications: object[] }).applications[2]), before);
  await world.until(() => readyOf(world, "shop/d") === "AppKeyConflict");
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /xlvein_operator_watch_up\{watched_namespace="gone"\} 0/);

  world.forbidden.delete("gone");
  // The one that waited for the key has it now.
  await world.until(() => readyOf(world, "shop/d") === "Ready");
  assert.deepEqual(keys(world), ["shop.a", "shop.c", "taken"]);
  assert.notEqual(JSON.stringify((parsed(world.secrets.get(SERVERS)) as { applications: object[] }).applications[2]), before);
});

test("with nothing known of what the servers have, nothing is written until all can be seen", async (t) => {
  const world = createWorld();
  world.applications.push(shown("shop", "a"), shown("gone", "b"));
  world.forbidden.add("gone");
  const { lines } = await operate(t, world);
  await world.until(() => lines.some((line) => line.includes("applications not watched")));
  assert.equal(world.secrets.get(SERVERS), undefined);
  world.forbidden.delete("gone");
  await given(world, ["gone.b", "shop.a"]);
});
