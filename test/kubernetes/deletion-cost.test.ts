// A pod that tells its sockets as its deletion cost.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createAppSource } from "../../server/src/apps/sources.ts";
import { loadConfig } from "../../server/src/config/load.ts";
import { findAccess } from "../../server/src/kubernetes/access.ts";
import { createDeletionCost } from "../../server/src/kubernetes/deletion-cost.ts";
import { createLog } from "../../server/src/log.ts";
import { createServer } from "../../server/src/server.ts";
import { type KubernetesApi, startKubernetesApi } from "./api.ts";

/** Starts to tell, with a clock that moves by hand; `look` is one interval. */
async function open(t: TestContext) {
  const api = await startKubernetesApi(t);
  const logs: string[] = [];
  let connections = 0;
  let looks = 0;
  let looked = () => {};
  const start = createDeletionCost({
    access: api.access,
    connections() {
      looks++;
      looked();
      return connections;
    },
    log: createLog({ level: "warn", destination: { write: (line: string) => void logs.push(line) } }),
    everyMs: 20,
  });
  t.after(start());
  return {
    api,
    logs,
    set: (count: number) => void (connections = count),
    /** Resolves when the count has been looked at this many times more. */
    async looks(times: number) {
      for (const wanted = looks + times; looks < wanted; ) await new Promise<void>((resolve) => (looked = resolve));
    },
  };
}

function costs({ requests }: KubernetesApi): string[] {
  return requests.flatMap((request) => /^PATCH .*"controller\.kubernetes\.io\/pod-deletion-cost":"(\d+)"/.exec(request)?.[1] ?? []);
}

test("the cost is told at first, and when it has changed by a tenth", async (t) => {
  const { api, set, looks } = await open(t);
  assert.equal(await api.asked(/PATCH/), 'PATCH {"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"0"}}}');
  set(100);
  await api.asked(/PATCH/);
  await looks(2);
  for (const count of [101, 109, 91]) {
    set(count);
    await looks(3);
  }
  assert.deepEqual(costs(api), ["0", "100"]);
  set(110);
  await api.asked(/PATCH/);
  set(99);
  await api.asked(/PATCH/);
  assert.deepEqual(costs(api), ["0", "100", "110", "99"]);
});

test("what the API refuses is told again, and logged once", async (t) => {
  const { api, logs, set, looks } = await open(t);
  await api.asked(/^PATCH/);
  api.refuse(500);
  set(7);
  await api.asked(/^500 PATCH/);
  await api.asked(/^500 PATCH/);
  await looks(2);
  assert.equal(logs.length, 1);
  assert.match(logs[0] ?? "", /"event":"deletion cost not told","pod":"xlvein-0","message":"the Kubernetes API answered 500: refused with 500"/);
  api.refuse(200);
  await api.asked(/^PATCH/);
  assert.deepEqual(costs(api).at(-1), "7");
});

test("it needs to know the pod", async (t) => {
  const { access } = await startKubernetesApi(t);
  const options = { access: { ...access, pod: undefined }, connections: () => 0, log: createLog({ level: "silent" }) };
  assert.throws(() => createDeletionCost(options), { message: "pod_deletion_cost.enabled needs the pod's name: POD_NAME is not set" });
});

test("outside a pod a server does not start with it", async () => {
  const { config } = loadConfig({ env: { XLVEIN_POD_DELETION_COST_ENABLED: "true" }, cwd: import.meta.dirname });
  const log = createLog({ level: "silent" });
  const source = createAppSource({ config, log });
  await assert.rejects(createServer({ config, source, log, version: "0" }), {
    message: "pod_deletion_cost.enabled needs a Kubernetes pod: KUBERNETES_SERVICE_HOST is not set",
  });
});

test("the API is found in a pod's variables, IPv6 included, and nowhere else", () => {
  const pod = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443", POD_NAMESPACE: "push", POD_NAME: "xlvein-0" };
  const { caFile, tokenFile, ...rest } = findAccess(pod);
  assert.deepEqual(rest, { host: "fd00::1", port: 6443, namespace: "push", pod: "xlvein-0" });
  assert.deepEqual(
    [caFile, tokenFile],
    ["ca.crt", "token"].map((name) => `/var/run/secrets/kubernetes.io/serviceaccount/${name}`),
  );
  assert.throws(() => findAccess({}, "x "), { message: "x needs a Kubernetes pod: KUBERNETES_SERVICE_HOST is not set" });
  assert.throws(() => findAccess({}), { message: "needs a Kubernetes pod: KUBERNETES_SERVICE_HOST is not set" });
  assert.throws(() => findAccess({ KUBERNETES_SERVICE_HOST: "10.0.0.1" }), /^Error: needs the pod's namespace: POD_NAMESPACE is not set/);
});
