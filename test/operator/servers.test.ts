// What real servers say of the applications that they serve.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compose, toSecret } from "../../server/src/operator/aggregate.ts";
import { askRevision, askServers } from "../../server/src/operator/servers.ts";
import { decode } from "../../server/src/operator/tenant-secret.ts";
import { startServer } from "../helpers/server.ts";
import { application, entry, NOW } from "./sample.ts";

test("a server that has the operator's applications says their count, one that has others or is gone says none", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "xlvein-operator-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { data } = toSecret("push", "apps", compose([entry(application("web"))], undefined, NOW));
  await writeFile(join(folder, "applications.json"), decode(data["applications.json"]));
  const ours = new URL((await startServer(t, { applications: [], config: { applications_dir: folder } })).internalUrl);
  const other = new URL((await startServer(t)).internalUrl);
  assert.equal(await askRevision("127.0.0.1", Number(ours.port)), NOW);
  assert.equal(await askRevision("127.0.0.1", Number(other.port)), undefined);
  assert.equal(await askRevision("127.0.0.1", 1), undefined);

  const kube = { listEndpoints: async () => [{ addresses: ["127.0.0.1"], ready: true, pod: "a" }] };
  assert.deepEqual(await askServers({ kube, namespace: "push", service: "xlvein-admin", port: Number(ours.port) }), { counters: [NOW] });
});
