// The API alone: what startControlPlane promises to the tests that use it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startControlPlane } from "./control-plane.ts";
import { kubernetesVersion } from "./programs.ts";

interface Secret {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

test("a control plane answers as Kubernetes does: version, service accounts, RBAC, and the same data after a crash", async (t) => {
  const startMs = performance.now();
  const plane = await startControlPlane(t);
  t.diagnostic(`ready after ${(performance.now() - startMs).toFixed(0)} ms`);
  assert.equal((await plane.api.get<{ gitVersion: string }>("/version")).gitVersion, kubernetesVersion());

  await plane.createNamespace("shop");
  const secrets = "/api/v1/namespaces/shop/secrets";
  await plane.api.create(secrets, { metadata: { name: "one" }, stringData: { key: "value" } });
  const reader = await plane.apiAs("shop", "reader");
  t.after(() => reader.close());
  assert.equal((await reader.call("GET", `${secrets}/one`)).status, 403);
  await plane.kubectl("-n", "shop", "create", "role", "reader", "--verb=get", "--resource=secrets", "--resource-name=one");
  await plane.kubectl("-n", "shop", "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=shop:reader");
  const { status, body } = await reader.call<Secret>("GET", `${secrets}/one`);
  assert.deepEqual([status, body.data], [200, { key: Buffer.from("value").toString("base64") }]);
  assert.equal((await reader.call("GET", secrets)).status, 403);

  await plane.stopApiServer("SIGKILL");
  await assert.rejects(plane.api.get("/version"));
  await plane.startApiServer();
  const again = await reader.call<Secret>("GET", `${secrets}/one`);
  assert.deepEqual([again.status, again.body.metadata.resourceVersion], [200, body.metadata.resourceVersion]);
});

test("with its controllers, what a deleted object owns goes as well", async (t) => {
  const plane = await startControlPlane(t, { controllers: true });
  await plane.createNamespace("shop");
  const path = "/api/v1/namespaces/shop";
  const owner = await plane.api.create(`${path}/configmaps`, { metadata: { name: "owner" } });
  const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid }];
  await plane.api.create(`${path}/secrets`, { metadata: { name: "owned", ownerReferences } });
  await plane.api.delete(`${path}/configmaps/owner`);
  await plane.kubectl("-n", "shop", "wait", "--for=delete", "secret/owned", "--timeout=30s");
  assert.equal((await plane.api.call("GET", `${path}/secrets/owned`)).status, 404);
});
