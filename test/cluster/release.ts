// A release of the chart in a namespace of a test cluster, and the servers that it runs.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SECRET } from "../helpers/server.ts";
import type { KubernetesObject } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import type { Machine } from "./machine.ts";

const CHART = join(import.meta.dirname, "../../helm/xlvein");
/** Kubernetes refuses pods that do not keep to the restricted standard. */
const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest" };

/** Resources of a server that shares a test machine with others. */
export const SMALL = { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "512Mi" } };

/** What a release may make in its namespace. */
const KINDS =
  "pods,deployments,statefulsets,replicasets,jobs,services,secrets,configmaps,persistentvolumeclaims,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets,leases";
/** What Kubernetes makes in every namespace. */
const OWN = ["configmap/kube-root-ca.crt", "serviceaccount/default"];

export interface Pod extends KubernetesObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly containerID?: string;
      readonly ready: boolean;
      readonly restartCount: number;
      readonly lastState: { readonly terminated?: { readonly reason: string } };
    }[];
  };
}

export interface Release {
  readonly name: string;
  readonly namespace: string;
  /** Path of the API below the namespace: `${path}/secrets`. */
  readonly path: string;
  /** The clients' Service, from here. */
  readonly url: string;
  /** Installs or upgrades and waits until all is ready; answers how long that took, ms. */
  upgrade(values: object): Promise<number>;
  /** Uninstalls it, and the pod that helm leaves of its test; answers what is left in the namespace besides, sorted. */
  uninstall(): Promise<readonly string[]>;
  /** A verb of helm's on this release. */
  helm(verb: string, ...args: readonly string[]): Promise<string>;
  kubectl(...args: readonly string[]): Promise<string>;
  /** The pods of a part, the servers by default, that are not on their way out. */
  pods(component?: "server" | "operator"): Promise<readonly Pod[]>;
  /** A server's listener for clients, or its internal one, from here: by way of the first machine, or another. */
  open(pod: Pod, port?: number, machine?: Machine): Promise<string>;
  /** What JavaScript prints inside a pod's container. */
  evaluate(pod: Pod, script: string): Promise<string>;
  /** What the first process of a pod's container has in memory, bytes. */
  residentBytes(pod: Pod): Promise<number>;
}

export const APPLICATIONS = [
  { appKey: "test", appSecret: SECRET, pushAuth: ["sign", "bearer", "open"] },
  { appKey: "test2", appSecret: `${SECRET}2` },
];

/** What a Secret with applications holds. */
export function applicationsFile(more: readonly { readonly appKey: string; readonly appSecret: string }[] = []): Record<string, string> {
  const applications = [...APPLICATIONS, ...more].map((application) =>
    Object.fromEntries(Object.entries(application).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value])),
  );
  return { "applications.json": JSON.stringify({ applications }) };
}

/** Installs the chart in a new namespace under the restricted Pod Security Standard; `secrets` are there before. */
export async function installRelease(
  cluster: Cluster,
  name: string,
  values: object,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<Release & { readonly installMs: number }> {
  const namespace = `${name}-test`;
  await cluster.createNamespace(namespace, RESTRICTED);
  for (const [secret, stringData] of Object.entries(secrets))
    await cluster.api.create(`/api/v1/namespaces/${namespace}/secrets`, { metadata: { name: secret }, stringData });
  let revision = 0;
  const helm = (verb: string, ...args: readonly string[]) => cluster.helm(verb, name, "--namespace", namespace, ...args);
  const kubectl = (...args: readonly string[]) => cluster.kubectl("--namespace", namespace, ...args);
  const path = `/api/v1/namespaces/${namespace}`;
  const evaluate = (pod: Pod, script: string) => kubectl("exec", pod.metadata.name, "--", "node", "-e", script);
  async function upgrade(next: object): Promise<number> {
    const file = join(cluster.folder, `${name}-${++revision}.json`);
    await writeFile(file, JSON.stringify(next));
    const startMs = performance.now();
    try {
      await helm("upgrade", CHART, "--install", "--wait", "--timeout", "150s", "--values", file);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await describe()}`);
    }
    return performance.now() - startMs;
  }
  /** What a person would look at when an installation fails. */
  async function describe(): Promise<string> {
    const [pods, events] = await Promise.all([kubectl("get", "pods", "-o", "wide"), kubectl("get", "events", "--sort-by=.lastTimestamp")]);
    const logs = await kubectl("logs", "--selector", `app.kubernetes.io/instance=${name}`, "--tail=20", "--all-containers", "--prefix").catch(String);
    return [pods, events, logs].join("\n");
  }
  const installMs = await upgrade(values);
  const fullname = name.includes("xlvein") ? name : `${name}-xlvein`;
  const service = await cluster.api.get<{ spec: { clusterIP: string; ports: readonly { port: number }[] } }>(`${path}/services/${fullname}`);
  return {
    name: fullname,
    namespace,
    path,
    installMs,
    url: `http://127.0.0.1:${await cluster.open(service.spec.clusterIP, service.spec.ports[0]?.port ?? 0)}`,
    upgrade,
    async uninstall() {
      await helm("uninstall", "--wait", "--timeout", "120s");
      await kubectl("delete", "pod", "--selector=app.kubernetes.io/component=test", "--now");
      await kubectl("wait", "--for=delete", "pod", "--all", "--timeout=120s");
      const left = (await kubectl("get", KINDS, "-o", "name")).trim().split("\n");
      return left.filter((object) => !OWN.includes(object)).sort();
    },
    helm,
    kubectl,
    async pods(component = "server") {
      const selector = encodeURIComponent(`app.kubernetes.io/instance=${name},app.kubernetes.io/component=${component}`);
      const pods = await cluster.api.list<Pod>(`${path}/pods?labelSelector=${selector}`);
      return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    },
    open: async (pod, port = 8090, machine) => `http://127.0.0.1:${await cluster.open(pod.status.podIP ?? "", port, machine)}`,
    evaluate,
    async residentBytes(pod) {
      const said = await evaluate(pod, 'console.log(/^VmRSS:\\s*(\\d+) kB/m.exec(require("node:fs").readFileSync("/proc/1/status", "utf8"))[1])');
      return Number(said) * 1024;
    },
  };
}
