// A whole Kubernetes on one machine: control plane, a node with containers or more of them, cluster DNS. Ready in about ten seconds once its programs and images are made.
//
//   const cluster = await startCluster(t, { images: [await serverImage()] });
//   await cluster.helm("install", …);  await cluster.kubectl("wait", …);
//   const url = `http://127.0.0.1:${await cluster.open(serviceIp, 80)}`;   // from the test to a Service or pod
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "./api.ts";
import { type ControlPlane, clientFlags, controlPlane, type Servers, startControllers, startServers } from "./control-plane.ts";
import { pauseImage } from "./images.ts";
import { createMachine, type Machine } from "./machine.ts";
import { DNS_SERVICE, type NodeRuntime, startNode } from "./node.ts";
import { type Relay, startRelay } from "./relay.ts";

/** Inside the machine: nobody else is there. */
const PORTS = { etcd: 2379, etcdPeers: 2380, apiServer: 6443 };
const PREFIX = "xlvein-cluster-";
const CONTROLLERS_PORT = 10257;
const SCHEDULER_PORT = 10259;
const DNS_PORT = 5353;
const READY_MS = 60_000;
const LOOK_MS = 100;

export interface Cluster extends ControlPlane {
  /** The one with the control plane comes first; stopping another is a power cut. */
  readonly machines: readonly Machine[];
  /** Where files of the test may lie; gone with the cluster. */
  readonly folder: string;
  /** A port on 127.0.0.1 that leads to an address in the cluster: a Service's, a pod's. The way begins on the first machine, or another. */
  open(host: string, port: number, machine?: Machine): Promise<number>;
  /** Runs a program on the machine of a pod, with the pid of the first process of its one container as the last argument. */
  atProcess(pod: RunningPod, ...argv: readonly string[]): Promise<string>;
}

export interface ClusterOptions {
  /** Paths of OCI archives. */
  readonly images: readonly string[];
  /** 1 by default. */
  readonly nodes?: number;
}

export interface RunningPod extends KubernetesObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly containerStatuses?: readonly { readonly containerID?: string }[] };
}

interface Node extends KubernetesObject {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Throws a sentence where root or Go is missing. After the test nothing is left: no process, no mount, no folder. */
export async function startCluster(t: { after(work: () => Promise<unknown>): void }, { images, nodes = 1 }: ClusterOptions): Promise<Cluster> {
  await removeStaleFolders();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  t.after(async () => {
    for (const work of undo.toReversed()) await work();
  });
  const machines: Machine[] = [];
  for (let number = 1; number <= nodes; number++) {
    const own = join(folder, `node${number}`);
    await mkdir(own);
    const machine = await createMachine(own, number);
    undo.push(() => machine.stop());
    await machines[0]?.connect(machine);
    machines.push(machine);
  }
  const [machine] = machines;
  if (machine === undefined) throw new Error("a cluster has at least one node");
  const relays = new Map<Machine, Relay>();
  for (const one of machines) {
    const relay = await startRelay(one);
    undo.push(() => relay.stop());
    relays.set(one, relay);
  }
  const open = (host: string, port: number, from: Machine = machine) => (relays.get(from) as Relay).open(host, port);
  const all = [await pauseImage(), ...images];
  const [servers, ...runtimes] = await Promise.all([
    startServers({ place: machine, folder: machine.folder, address: machine.address, ports: PORTS }),
    ...machines.map((one) => startWithImages(one, all)),
  ]);
  const plane = await controlPlane(servers, `https://127.0.0.1:${await open("127.0.0.1", PORTS.apiServer)}`);
  undo.push(() => plane.api.close());
  startControllers(servers, CONTROLLERS_PORT, ["--node-monitor-grace-period=20s"]);
  machine.start("kube-scheduler", [servers.program, "kube-scheduler", ...clientFlags(servers.pki, "kube-scheduler"), `--secure-port=${SCHEDULER_PORT}`]);
  for (const runtime of runtimes) await runtime.startKubelet(servers);
  await startDns(plane, machine, servers);
  for (const { node } of machines) await nodeReady(plane, node);
  return {
    ...plane,
    machines,
    folder,
    open,
    async atProcess({ metadata, spec, status }, ...argv) {
      const nth = machines.findIndex(({ node }) => node === spec.nodeName);
      const [place, runtime] = [machines[nth], runtimes[nth]];
      const id = status.containerStatuses?.[0]?.containerID;
      if (place === undefined || runtime === undefined || id === undefined) throw new Error(`${metadata.name} does not run`);
      return place.run(...argv, String(await runtime.firstProcess(id)));
    },
  };
}

async function startWithImages(machine: Machine, images: readonly string[]): Promise<NodeRuntime> {
  const node = await startNode(machine);
  for (const image of images) await node.importImage(image);
  return node;
}

/** Those of a process that was killed before it could remove them. */
async function removeStaleFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (Number.isInteger(pid) && !existsSync(`/proc/${pid}`)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** A Service without pods: its one endpoint is a program on the node. */
async function startDns({ api }: ControlPlane, machine: Machine, { pki, innerUrl }: Servers): Promise<void> {
  machine.start("dns", [process.execPath, join(import.meta.dirname, "dns.ts"), pki.folder, innerUrl, machine.address, String(DNS_PORT)]);
  const [name, namespace] = ["kube-dns", "kube-system"];
  await api.create(`/api/v1/namespaces/${namespace}/services`, {
    metadata: { name },
    spec: { clusterIP: DNS_SERVICE, ports: [{ name: "dns", port: 53, protocol: "UDP", targetPort: DNS_PORT }] },
  });
  await api.create(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
    metadata: { name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "dns", port: DNS_PORT, protocol: "UDP" }],
    endpoints: [{ addresses: [machine.address], conditions: { ready: true } }],
  });
}

async function nodeReady({ api }: ControlPlane, node: string): Promise<void> {
  for (const startMs = performance.now(); ; await sleep(LOOK_MS)) {
    const { status, body } = await api.call<Node>("GET", `/api/v1/nodes/${node}`);
    if (status === 200 && body.status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True")) return;
    if (performance.now() - startMs > READY_MS) throw new Error(`${node} is not ready after ${READY_MS} ms: ${JSON.stringify(body.status)}`);
  }
}
