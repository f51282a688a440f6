// The operator as the chart runs it, in pods: an Application becomes credentials that every server accepts, and another operator takes over.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../faults/harness/until.ts";
import { apiToken, type Client, connect, push } from "../helpers/client.ts";
import type { KubernetesObject } from "./api.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { best } from "./form.ts";
import { redisImage, serverImage } from "./images.ts";
import { installRelease, type Pod, type Release, SMALL } from "./release.ts";

const MINUTE_MS = 60_000;
const TENANT = "tenant";
/** Of an operator. */
const MOST_BYTES = 200e6;
const VALUES = {
  replicaCount: 2,
  exchange: { type: "redis" },
  operator: { enabled: true, replicas: 2, watchNamespaces: [TENANT] },
  minReadySeconds: 1,
  resources: SMALL,
};

interface Application extends KubernetesObject {
  readonly status?: {
    readonly appKey?: string;
    readonly synced?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  };
}

/** What a tenant's Secret holds. */
interface Credentials {
  readonly app_key: string;
  readonly app_secret: string;
  readonly push_url: string;
}

const undo: (() => unknown)[] = [];
let cluster: Cluster;
/** Its full name is what Applications mean when they name no server. */
let release: Release;
let servers: readonly string[];
let made = 0;

const path = (name: string): string => `/apis/xlvein.io/v1alpha1/namespaces/${TENANT}/applications/${name}`;
const secretPath = (name: string): string => `/api/v1/namespaces/${TENANT}/secrets/${name}-xlvein`;

function apply(name: string, spec: object = {}): Promise<Application> {
  const object = { apiVersion: "xlvein.io/v1alpha1", kind: "Application", metadata: { name }, spec };
  return cluster.api.patch<Application>(`${path(name)}?fieldManager=test&force=true`, object, "apply");
}

async function readiness(name: string): Promise<string> {
  const { status } = await cluster.api.get<Application>(path(name));
  const found = status?.conditions?.find(({ type }) => type === "Ready");
  return `${found?.status}/${found?.reason} ${status?.synced}`;
}

async function credentialsOf(name: string): Promise<Credentials> {
  const { data } = await cluster.api.get<{ data: Record<string, string> }>(secretPath(name));
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()])) as unknown as Credentials;
}

/** A client at each server. */
function connectAll(t: { after(work: () => unknown): void }, { app_key: app, app_secret: secret }: Credentials): Promise<readonly Client[]> {
  return Promise.all(servers.map((url, i) => connect(t as never, url, { app, secret, account: `client_${i}` })));
}

/** The pod that holds the Lease. */
async function leader(): Promise<Pod | undefined> {
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${release.namespace}/leases/${release.name}-operator`;
  const { spec } = await cluster.api.get<{ spec: { holderIdentity?: string } }>(lease);
  return (await release.pods("operator")).find(({ metadata }) => metadata.name === spec.holderIdentity);
}

async function bothReady(): Promise<boolean> {
  const pods = await release.pods("operator");
  return pods.length === 2 && pods.every(({ status }) => status.containerStatuses?.[0]?.ready === true);
}

/** Seconds until an Application that is made now has its Secret. */
async function untilServed(withinMs: number): Promise<number> {
  const name = `made-${++made}`;
  await apply(name);
  return (await until("an operator has taken up the new Application", withinMs, async () => (await credentialsOf(name)).app_secret !== "")) / 1_000;
}

before(async () => {
  cluster = await startCluster({ after: (work) => undo.push(work) }, { images: [await serverImage(), await redisImage()] });
  await cluster.createNamespace(TENANT);
  release = await installRelease(cluster, "xlvein", VALUES);
  servers = await Promise.all((await release.pods()).map((pod) => release.open(pod)));
});
after(async () => {
  for (const work of undo.toReversed()) await work();
});

describe("an Application", () => {
  it("has credentials that each server accepts once it is ready", { timeout: MINUTE_MS }, async (t) => {
    await apply("shop");
    const tookMs = await until("the Application is ready", 30_000, async () => (await readiness("shop")) === "True/Ready 2/2");
    t.diagnostic(`ready after ${tookMs.toFixed(0)} ms`);
    const credentials = await credentialsOf("shop");
    assert.equal(credentials.app_key, `${TENANT}.shop`);
    assert.match(credentials.push_url, new RegExp(`^http://${release.name}\\.${release.namespace}\\.svc`));
    const clients = await connectAll(t, credentials);
    const answer = await push(servers[0] ?? "", ["client_0", "client_1"], { greeting: "hello" }, {}, apiToken(credentials.app_key, credentials.app_secret));
    assert.equal(answer.status, 200);
    for (const client of clients) assert.deepEqual((await client.next()).data, { greeting: "hello" });
  });

  it("is refused an appKey that another has", { timeout: MINUTE_MS }, async () => {
    const before = await credentialsOf("shop");
    await apply("thief", { appKey: before.app_key });
    await until("the conflict is told", 30_000, async () => (await readiness("thief")).startsWith("False/AppKeyConflict"));
    assert.equal((await cluster.api.call("GET", secretPath("thief"))).status, 404);
    assert.deepEqual([await credentialsOf("shop"), await readiness("shop")], [before, "True/Ready 2/2"]);
  });

  it("is rotated: whoever reads the new secret can use it at once, the old one counts on, and no socket notices", { timeout: MINUTE_MS }, async (t) => {
    const before = await credentialsOf("shop");
    const sockets = await connectAll(t, before);
    await apply("shop", { credentials: { rotation: { trigger: "now", overlap: "1h" } } });
    let fresh = before;
    await until("the Secret has the new credentials", 30_000, async () => {
      fresh = await credentialsOf("shop");
      return fresh.app_secret !== before.app_secret;
    });
    for (const credentials of [fresh, before]) await connectAll(t, credentials);
    for (const { socket } of sockets) assert.equal(socket.readyState, socket.OPEN);
  });

  it("that is deleted leaves nothing: its sockets are closed, its Secret is gone, nobody else notices", { timeout: MINUTE_MS }, async (t) => {
    await apply("other");
    await until("the other Application is ready", 30_000, async () => (await readiness("other")) === "True/Ready 2/2");
    const [clients, others] = [await connectAll(t, await credentialsOf("shop")), await connectAll(t, await credentialsOf("other"))];
    await cluster.kubectl("--namespace", TENANT, "delete", "xlapp", "shop", "thief");
    for (const { closed } of clients) assert.equal((await closed).code, 4003);
    await until("its Secret is collected", 30_000, async () => (await cluster.api.call("GET", secretPath("shop"))).status === 404);
    for (const { socket } of others) assert.equal(socket.readyState, socket.OPEN);
  });
});

describe("of two operators", () => {
  it("each takes at most 200 MB", async (t) => {
    for (const pod of await release.pods("operator")) {
      const bytes = await release.residentBytes(pod);
      t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB`);
      assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
    }
  });

  it("the other leads within 3 s when one is told to go", { timeout: 4 * MINUTE_MS }, async (t) => {
    const tookMs = await best(3_000, async () => {
      await until("both are ready", MINUTE_MS, bothReady);
      const first = (await leader()) ?? assert.fail("nobody leads");
      await release.kubectl("delete", "pod", first.metadata.name, "--wait=false");
      const ms = await until("the other one leads", 30_000, async () => ((await leader())?.metadata.name ?? first.metadata.name) !== first.metadata.name);
      t.diagnostic(`${ms.toFixed(0)} ms; the next Application was served ${(await untilServed(30_000)).toFixed(1)} s later`);
      return ms;
    });
    assert.ok(tookMs <= 3_000, `${tookMs} ms`);
  });

  it("one works within 17 s when the leader is killed", { timeout: 3 * MINUTE_MS }, async (t) => {
    await until("both are ready", MINUTE_MS, bothReady);
    const first = (await leader()) ?? assert.fail("nobody leads");
    await cluster.atProcess(first, "kill", "-KILL");
    const took = await untilServed(60_000);
    t.diagnostic(`${took.toFixed(1)} s`);
    assert.ok(took <= 17, `${took} s`);
  });
});
