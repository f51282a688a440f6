// Servers on two nodes over the chart's Redis: one is killed for its memory, the cable between the nodes is cut, a node loses its power. What was acknowledged arrives.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startLoad } from "../faults/harness/load.ts";
import { startResumers } from "../faults/harness/resumers.ts";
import { settle, until } from "../faults/harness/until.ts";
import { describeVerdict, FAULTLESS, faultsOf, judge, percentile } from "../faults/harness/verdict.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { form } from "./form.ts";
import { redisImage, serverImage } from "./images.ts";
import { APPLICATIONS, installRelease, type Pod, type Release, SMALL } from "./release.ts";

const MINUTE_MS = 60_000;
const SERVERS = 4;
const CLIENTS = form(200, 40);
/** Above 25 s Kubernetes gives the far node up meanwhile, and takes it back. */
const CUT_MS = form(45_000, 10_000);
/** A push that the exchange cannot take is answered within 2 s; the rest is for a machine that is busy. */
const SLOWEST_MS = 6_000;

/** Has the server itself, the container's first process, take memory until the kernel ends it. */
const EAT = `(async () => {
  process.kill(1, "SIGUSR1");
  let found;
  while (!found) found = await fetch("http://127.0.0.1:9229/json/list").then((answer) => answer.json()).catch(() => undefined);
  const debug = new WebSocket(found[0].webSocketDebuggerUrl);
  debug.onopen = () => debug.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression: "for (const all = []; ; ) all.push(Buffer.alloc(16 << 20, 1))" } }));
})()`;
const ACCOUNTS = Array.from({ length: CLIENTS }, (_, i) => `user_${i}`);

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
    resources: SMALL,
  });
});
/** A server, and the way to it that stays on its own node. */
interface Place {
  readonly pod: Pod;
  readonly url: string;
}

function placesOf(pods: readonly Pod[]): Promise<readonly Place[]> {
  const machine = (pod: Pod) => cluster.machines.find(({ node }) => node === pod.spec.nodeName);
  return Promise.all(pods.map(async (pod) => ({ pod, url: await release.open(pod, 8090, machine(pod)) })));
}

/** How often each server's container was started again, in the pods' order. */
async function restarts(): Promise<readonly (number | undefined)[]> {
  return (await release.pods()).map(({ status }) => status.containerStatuses?.[0]?.restartCount);
}

const allReady = async (): Promise<boolean> => (await release.pods()).every(({ status }) => status.containerStatuses?.[0]?.ready === true);

after(async () => {
  for (const work of undo.toReversed()) await work();
});

describe("servers on two nodes", () => {
  it("are spread over both", async () => {
    const places = (await release.pods()).map(({ spec }) => spec.nodeName).sort();
    assert.deepEqual(places, ["node1", "node1", "node2", "node2"]);
  });

  it("lose one that runs out of memory: it is started again, its own clients come back, and nobody else's notice", { timeout: 3 * MINUTE_MS }, async (t) => {
    const places = await placesOf(await release.pods());
    const victim = places[0]?.pod ?? assert.fail();
    const resumers = await startResumers(t, { url: (nth) => places[nth % SERVERS]?.url ?? "", accounts: ACCOUNTS });
    const load = startLoad(t, { urls: () => places.map(({ url }) => url), accounts: ACCOUNTS, perSecond: 40, insist: true });
    const calm = resumers.changes.length;
    // It ends with its container, however that looks from here.
    await release.evaluate(victim, EAT).catch(() => undefined);
    const lookAgain = async () => (await release.pods()).find(({ metadata }) => metadata.uid === victim.metadata.uid)?.status.containerStatuses?.[0];
    await until("its container was started again", MINUTE_MS, async () => (await lookAgain())?.restartCount === 1);
    assert.equal((await lookAgain())?.lastState.terminated?.reason, "OOMKilled");
    const backMs = await until("every client is connected", MINUTE_MS, () => resumers.connected === CLIENTS);
    await until("all servers are ready", MINUTE_MS, allReady);
    await load.stop();
    await settle(load.acknowledged, resumers.arrivals, 30_000);
    const verdict = judge(load.acknowledged, resumers.arrivals);
    t.diagnostic(`${describeVerdict(verdict)}; the last client was back ${backMs.toFixed(0)} ms after the restart`);
    assert.deepEqual([faultsOf(verdict), resumers.gaps], [FAULTLESS, []]);
    const concerned = new Set(resumers.changes.slice(calm).map(({ account }) => account));
    assert.deepEqual([...concerned].sort(), ACCOUNTS.filter((_, nth) => nth % SERVERS === 0).sort());
    assert.equal(
      (await restarts()).reduce((sum, count) => (sum ?? 0) + (count ?? 0), 0),
      1,
    );
  });

  it("are cut off from one another: no socket closes, pushes that cannot be taken are refused, and all that was taken arrives afterwards", {
    timeout: 4 * MINUTE_MS,
  }, async (t) => {
    const places = await placesOf(await release.pods());
    const [near, far] = ["node1", "node2"].map((node) => places.filter(({ pod }) => pod.spec.nodeName === node).map(({ url }) => url));
    assert.ok(near?.length && far?.length);
    const resumers = await startResumers(t, { url: (nth) => places[nth % SERVERS]?.url ?? "", accounts: ACCOUNTS });
    // Each node's backends push to half of the accounts, wherever those are connected.
    const loads = [near, far].map((urls, half) =>
      startLoad(t, { urls: () => urls, accounts: ACCOUNTS.filter((_, nth) => Math.floor(nth / SERVERS) % 2 === half), perSecond: 20, insist: true }),
    );
    await until("both loads are answered", 15_000, () => loads.every(({ acknowledged }) => acknowledged.length >= 20));
    const [calm, before] = [resumers.changes.length, await restarts()];
    const [first, second] = cluster.machines;
    assert.ok(first && second);
    await first.cable(second, "down");
    await sleep(CUT_MS);
    await first.cable(second, "up");
    for (const load of loads) await load.stop();
    const acknowledged = loads.flatMap((load) => load.acknowledged);
    const settledMs = performance.now();
    await settle(acknowledged, resumers.arrivals, 60_000);
    const verdict = judge(acknowledged, resumers.arrivals);
    const [nearby, away] = loads.map(({ answers }) => answers);
    const refused = away?.filter(({ status }) => status !== 200) ?? [];
    const slowestMs = percentile(
      (away ?? []).map(({ ms }) => ms),
      1,
    );
    t.diagnostic(
      `${describeVerdict(verdict)}, all of it ${(performance.now() - settledMs).toFixed(0)} ms after the last push; ${refused.length} refused, the slowest after ${slowestMs.toFixed(0)} ms`,
    );
    assert.deepEqual([faultsOf(verdict), resumers.gaps], [FAULTLESS, []]);
    assert.deepEqual(resumers.changes.slice(calm), [], "every socket stays open");
    assert.deepEqual(
      nearby?.filter(({ status }) => status !== 200),
      [],
    );
    assert.ok(refused.length > 0 && refused.every(({ status }) => status === 503), JSON.stringify(refused.find(({ status }) => status !== 503)));
    assert.ok(slowestMs < SLOWEST_MS, `${slowestMs} ms`);
    await until("all servers are ready", MINUTE_MS, allReady);
    assert.deepEqual(await restarts(), before);
  });

  it("lose a node: its clients come back to the other's servers, and nothing acknowledged is lost", { timeout: 4 * MINUTE_MS }, async (t) => {
    const resumers = await startResumers(t, { url: () => release.url, accounts: ACCOUNTS });
    const load = startLoad(t, { urls: () => [release.url], accounts: ACCOUNTS, perSecond: 40, insist: true });
    await until("pushes are answered", 15_000, () => load.acknowledged.length >= 40);
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
