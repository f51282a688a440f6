// The chart against a real API server: every object is taken by it strictly, and upgrades meet what others have written.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CHART, examples, type KubeObject, render, withFolder } from "../helm/chart.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";

const NAMESPACE = "push";
const COMMON = { exchange: { type: "redis" }, bootstrapSecrets: { mode: "none" } };
const application = (appKey: string) => ({ appKey, appSecret: "0123456789abcdef0123456789abcdef" });

const ends: (() => unknown)[] = [];
let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane({ after: (end: () => unknown) => void ends.unshift(end) } as never);
  for (const namespace of [NAMESPACE, "monitoring", "shop", "helpdesk", "xlvein"]) await plane.createNamespace(namespace);
  // What an example names.
  const named = [
    { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: "high" }, value: 1000 },
    { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "gvisor" }, handler: "runsc" },
  ];
  for (const object of named) await plane.api.create(`/apis/${object.apiVersion}/${object.kind.toLowerCase()}es`, object);
});
after(async () => {
  for (const end of ends) await end();
});

/** Installs or upgrades; rejects with what helm said. */
function upgrade(release: string, values: object, ...flags: readonly string[]): Promise<string> {
  return withFolder(async (folder) => {
    const file = join(folder, "values.json");
    await writeFile(file, JSON.stringify({ ...COMMON, ...values }));
    return plane.helm("upgrade", "--install", release, CHART, "-n", NAMESPACE, "-f", file, "--no-hooks", ...flags);
  });
}

describe("every object of every example", () => {
  /** Of the groups that come with Kubernetes itself. */
  const isBuiltIn = ({ apiVersion }: KubeObject): boolean => /^(\w+\/)?v\d+$|^[\w.]+\.k8s\.io\//.test(apiVersion) && !apiVersion.startsWith("gateway.");

  it("is taken by the API server, without a field that it does not know", async () => {
    // This API server has one family of addresses.
    const values = { service: { ipFamilyPolicy: "", ipFamilies: [] } };
    for (const ci of examples) {
      const objects = (await render({ ci, values, namespace: NAMESPACE })).filter(isBuiltIn);
      assert.ok(objects.length > 5, ci);
      await withFolder(async (folder) => {
        const file = join(folder, "objects.json");
        await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
        await plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", file);
      });
    }
  });
});

describe("an upgrade", () => {
  it("that changes applications which somebody has patched is refused, and goes through with --force-conflicts", async () => {
    const secret = `${NAMESPACE}/secrets/patched-xlvein-applications`;
    await upgrade("patched", { applications: [application("a")] });
    const patch = JSON.stringify({ stringData: { "applications.json": '{"applications":[]}' } });
    await plane.kubectl("-n", NAMESPACE, "patch", "secret", "patched-xlvein-applications", "--type=merge", "-p", patch);
    await assert.rejects(upgrade("patched", { applications: [application("b")] }), /conflict with "kubectl-patch" using v1: \.data\.applications\.json/);
    await upgrade("patched", { applications: [application("b")] }, "--force-conflicts");
    const { data } = await plane.api.get<{ data: Record<string, string> }>(`/api/v1/namespaces/${secret}`);
    assert.match(Buffer.from(data["applications.json"] ?? "", "base64").toString(), /"app_key":"b"/);
    // And it is Helm's again.
    await upgrade("patched", { applications: [application("c")] });
  });

  it("that hands the number of servers to a scaler leaves it as it is, and never takes it back", async () => {
    const autoscaling = { enabled: true };
    const replicas = () => plane.kubectl("-n", NAMESPACE, "get", "deploy", "scaled-xlvein", "-o", "jsonpath={.spec.replicas}");
    const scale = (count: number) => plane.kubectl("-n", NAMESPACE, "scale", "deploy/scaled-xlvein", `--replicas=${count}`);
    await upgrade("scaled", { replicaCount: 3 });
    assert.equal(await replicas(), "3");
    for (const revisionHistoryLimit of [4, 3]) {
      await upgrade("scaled", { autoscaling, revisionHistoryLimit });
      assert.equal(await replicas(), "3");
    }
    for (const count of [5, 2]) {
      await scale(count);
      await upgrade("scaled", { autoscaling, minReadySeconds: count });
      assert.equal(await replicas(), String(count));
    }
  });
});
