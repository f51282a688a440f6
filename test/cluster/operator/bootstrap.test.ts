// `xlvein bootstrap-secrets` on a real API server, with the rights that the chart gives its Job.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { xlvein } from "../../cli/bin.ts";
import { find, render, withFolder } from "../../helm/chart.ts";
import { startControlPlane } from "../control-plane.ts";
import { type ShownSecret, text } from "./ground.ts";

test("the chart's Job makes what is absent, once, with no more rights than it has", async (t) => {
  const plane = await startControlPlane(t);
  await plane.createNamespace("push");
  const objects = await render({ values: { exchange: { type: "rabbitmq" }, store: { type: "redis" } } });
  const args: string[] = find(objects, "Job")["spec"].template.spec.containers[0].args;
  const rights = objects.filter(({ kind, metadata }) => /^(ServiceAccount|Role|RoleBinding)$/.test(kind) && metadata.name === "xlvein-bootstrap");
  assert.equal(rights.length, 3);
  await withFolder(async (folder) => {
    const file = join(folder, "rights.json");
    await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: rights }));
    await plane.kubectl("apply", "-f", file);
  });
  const env = { KUBECONFIG: await plane.serviceAccountKubeconfig("push", "xlvein-bootstrap") };
  const secrets = () => plane.api.list<ShownSecret>("/api/v1/namespaces/push/secrets");

  const first = await xlvein(args, { env });
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^Secret xlvein-redis: created\nSecret xlvein-rabbitmq: created\nSecret xlvein-default-application: created\n$/);
  const made = await secrets();
  assert.deepEqual(
    made.map(({ metadata, type }) => [metadata.name, type, metadata.labels?.["app.kubernetes.io/instance"]]),
    ["xlvein-default-application", "xlvein-rabbitmq", "xlvein-redis"].map((name) => [name, "Opaque", "xlvein"]),
  );
  const redis = made.find(({ metadata }) => metadata.name === "xlvein-redis") ?? assert.fail();
  assert.equal(text(redis, "auth.conf"), `requirepass ${text(redis, "password")}\n`);
  for (const secret of made.flatMap((each) => [text(each, "password"), text(each, "app_secret")]).filter((each) => each !== ""))
    assert.ok(!first.stdout.includes(secret) && !first.stderr.includes(secret), "a secret was printed");

  const second = await xlvein([...args, "--json"], { env });
  assert.deepEqual(JSON.parse(second.stdout), [
    { name: "xlvein-redis", outcome: "present" },
    { name: "xlvein-rabbitmq", outcome: "present" },
    { name: "xlvein-default-application", outcome: "present" },
  ]);
  assert.deepEqual(await secrets(), made);

  await plane.api.patch("/api/v1/namespaces/push/secrets/xlvein-redis", { data: { "auth.conf": null } });
  const third = await xlvein(args, { env });
  assert.equal(third.code, 1);
  assert.match(third.stderr, /Secret push\/xlvein-redis exists and lacks auth\.conf: add them, or delete it/);

  const refused = await xlvein(["bootstrap-secrets", "--namespace=default", "--redis=r"], { env });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the Kubernetes API answered 403: secrets is forbidden/);
});
