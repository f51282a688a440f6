// Two nodes, one of which loses its power: the others serve on, and every client comes back to them with all that was acknowledged.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startLoad } from "../faults/harness/load.ts";
import { startResumers } from "../faults/harness/resumers.ts";
import { settle, until } from "../faults/harness/until.ts";
import { describeVerdict, FAULTLESS, faultsOf, judge } from "../faults/harness/verdict.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { form } from "./form.ts";
import { redisImage, serverImage } from "./images.ts";
import { APPLICATIONS, installRelease, type Release } from "./release.ts";

const MINUTE_MS = 60_000;
const SERVERS = 4;
const CLIENTS = form(200, 40);

const undo: (() => unknown)[] = [];
let cluster: Cluster;
let release: Release;

before(async () => {
  cluster = await startCluster({ after: (work) => undo.push(work) }, { images: [await serverImage(), await redisImage()], nodes: 2 });
  release = await installRelease(cluster, "spread", {
    replicaCount: SERVERS,
    applications: APPLICATIONS,
    exchange: { type: "redis" },
    redis: { embedded: { nodeSelector: { "kubernetes.io/hostname": "node1" } } },
    store: { history: { messages: 1_000, seconds: 3_600 } },
    minReadySeconds: 1,
    resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "512Mi" } },
  });
});
after(async () => {
  for (const work of undo.toReversed()) await work();
});

describe("servers on two nodes", () => {
  it("are spread over both", async () => {
    const places = (await release.servers()).map(({ spec }) => spec.nodeName).sort();
    assert.deepEqual(places, ["node1", "node1", "node2", "node2"]);
  });

  it("lose a node: its clients come back to the other's servers, and nothing acknowledged is lost", { timeout: 4 * MINUTE_MS }, async (t) => {
    const accounts = Array.from({ length: CLIENTS }, (_, i) => `user_${i}`);
    const resumers = await startResumers(t, { url: () => release.url, accounts });
    const load = startLoad(t, { urls: () => [release.url], accounts, perSecond: 40, insist: true });
    await sleep(1_000);
    await cluster.machines[1]?.stop();
    const service = `/apis/discovery.k8s.io/v1/namespaces/${release.namespace}/endpointslices?labelSelector=kubernetes.io/service-name=${release.name}`;
    const awayMs = await until("the Service leads to the living node alone", 90_000, async () => {
      const slices = await cluster.api.list<{ endpoints: readonly { nodeName: string; conditions: { ready: boolean } }[] }>(service);
      return slices.every(({ endpoints }) => endpoints.every(({ nodeName, conditions }) => nodeName === "node1" || !conditions.ready));
    });
    const backMs = await until("every client is connected", 90_000, () => resumers.connected === CLIENTS);
    const answered = load.answers.length;
    await until("pushes are answered again", 15_000, () => load.answers.slice(answered).filter(({ status }) => status === 200).length > 100);
    await load.stop();
    await settle(load.acknowledged, resumers.arrivals, 60_000);
    const verdict = judge(load.acknowledged, resumers.arrivals);
    t.diagnostic(
      `${describeVerdict(verdict)}; the Service forgot the node after ${awayMs.toFixed(0)} ms, the last client was back ${backMs.toFixed(0)} ms later`,
    );
    assert.deepEqual(faultsOf(verdict), FAULTLESS);
    assert.equal(resumers.connected, CLIENTS);
  });
});
