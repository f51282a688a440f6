// A real API server with the chart's custom resource and roles in it, operators that run as the chart's service account, and servers that say what they serve.
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { createLog } from "../../../server/src/log.ts";
import { createKube } from "../../../server/src/operator/client.ts";
import { connect } from "../../../server/src/operator/connection.ts";
import type { Kube } from "../../../server/src/operator/kube.ts";
import { createOperator, type Operator, type OperatorOptions } from "../../../server/src/operator/operator.ts";
import { askRevision } from "../../../server/src/operator/servers.ts";
import { render, withFolder } from "../../helm/chart.ts";
import { type ControlPlane, startControlPlane } from "../control-plane.ts";

/** Where the servers are, and where applications are made. */
export const SERVERS = "push";
export const TENANT = "shop";
export const AGGREGATE = "xlvein-operator-applications";
const PATIENCE_MS = 60_000;
const INSTALLED = /^(CustomResourceDefinition|ServiceAccount|(Cluster)?Role(Binding)?|ValidatingAdmissionPolicy(Binding)?)$/;

/** An Application as the API server shows it. */
export interface ShownApplication {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly appKey?: string;
    readonly secretRef?: { readonly name: string };
    readonly activeKeyId?: string;
    readonly previousKeyExpiresAt?: string;
    readonly lastRotationTime?: string;
    readonly synced?: string;
    readonly revision?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly lastTransitionTime: string;
    }[];
  };
}

export interface ShownSecret {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string; readonly kind: string }[];
  };
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** What servers are given. */
export interface Given {
  readonly revision: string;
  readonly applications: readonly {
    readonly app_key: string;
    readonly secrets: readonly { readonly id: string; readonly secret: string; readonly not_after?: string }[];
    readonly [field: string]: unknown;
  }[];
}

/** A stand-in for a server: says the revision that it is set to. */
export interface StandIn {
  /** The count that it serves. */
  serve(revision: number): void;
  readonly address: string;
}

export interface Ground {
  readonly plane: ControlPlane;
  /** As the operator's service account. */
  readonly kube: Kube;
  readonly kubeconfig: string;
  operator(t: Pick<TestContext, "after">, options?: Partial<OperatorOptions>): Promise<{ operator: Operator; url: string }>;
  apply(name: string, spec?: object, namespace?: string): Promise<ShownApplication>;
  application(name: string, namespace?: string): Promise<ShownApplication>;
  secret(name: string, namespace?: string): Promise<ShownSecret | undefined>;
  given(): Promise<Given | undefined>;
  /** Ready servers; they serve what the Secret says unless they are told otherwise. */
  servers(t: Pick<TestContext, "after">, count: number): Promise<readonly StandIn[]>;
}

/** Starts the API server and installs what the chart would. */
export async function prepareGround(t: Pick<TestContext, "after">): Promise<Ground> {
  const plane = await startControlPlane(t);
  for (const namespace of [SERVERS, TENANT, "other"]) await plane.createNamespace(namespace);
  const values = { operator: { enabled: true, watchNamespaces: [TENANT, "other"], admissionPolicy: { enabled: true } } };
  const objects = (await render({ values, namespace: SERVERS })).filter(({ kind }) => INSTALLED.test(kind));
  await withFolder(async (folder) => {
    const file = join(folder, "objects.json");
    await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await plane.kubectl("apply", "-f", file);
  });
  await plane.kubectl("wait", "--for=condition=Established", "crd/applications.xlvein.io", "--timeout=20s");
  const kubeconfig = await plane.serviceAccountKubeconfig(SERVERS, "xlvein-operator");
  return groundOf(plane, kubeconfig);
}

function groundOf(plane: ControlPlane, kubeconfig: string): Ground {
  const { api } = plane;
  const kube = createKube(connect(kubeconfig));
  const path = (namespace: string, name = "") => `/apis/xlvein.io/v1alpha1/namespaces/${namespace}/applications${name && `/${name}`}`;
  const reached = new Map<string, number>();
  const secret = async (name: string, namespace = TENANT): Promise<ShownSecret | undefined> => {
    const { status, body } = await api.call<ShownSecret>("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`);
    return status === 200 ? body : undefined;
  };
  const given = async (): Promise<Given | undefined> => {
    const found = await secret(AGGREGATE, SERVERS);
    if (found === undefined) return undefined;
    const packed = found.data["applications.json.gz"];
    return JSON.parse(packed === undefined ? text(found, "applications.json") : gunzipSync(Buffer.from(packed, "base64")).toString()) as Given;
  };
  return {
    plane,
    kube,
    kubeconfig,
    async operator(t, options = {}) {
      const operator = createOperator({
        kube,
        namespace: SERVERS,
        rules: { server: "xlvein", allowForeign: false },
        addresses: { connectUrl: "wss://push.example.com/ws/connect", pushUrl: "http://xlvein.push.svc:8090" },
        applicationsSecret: AGGREGATE,
        serverService: "xlvein-admin",
        serverPort: 8091,
        watchNamespaces: [TENANT, "other"],
        election: undefined,
        internal: { host: "127.0.0.1", port: 0 },
        version: "0",
        log: createLog({ level: "silent" }),
        resyncMs: 1_000,
        // Addresses of pods lead nowhere without pods; each of these stands for a port here.
        askServer: (address) => askRevision("127.0.0.1", reached.get(address) ?? 0),
        ...options,
      });
      t.after(() => operator.close());
      return { operator, url: await operator.start() };
    },
    apply: (name, spec = {}, namespace = TENANT) =>
      api.patch<ShownApplication>(
        `${path(namespace, name)}?fieldManager=test&force=true`,
        { apiVersion: "xlvein.io/v1alpha1", kind: "Application", metadata: { name }, spec },
        "apply",
      ),
    application: (name, namespace = TENANT) => api.get<ShownApplication>(path(namespace, name)),
    secret,
    given,
    async servers(t, count) {
      const all = await Promise.all(Array.from({ length: count }, (_, i) => standIn(t, `192.0.2.${10 + i}`, given)));
      for (const { address, port } of all) reached.set(address, port);
      const endpoints = all.map(({ address }) => ({ addresses: [address], conditions: { ready: true } }));
      await api.create(`/apis/discovery.k8s.io/v1/namespaces/${SERVERS}/endpointslices`, {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: "xlvein-admin-1", labels: { "kubernetes.io/service-name": "xlvein-admin" } },
        addressType: "IPv4",
        endpoints,
        ports: [{ name: "internal", port: 8091, protocol: "TCP" }],
      });
      return all;
    },
  };
}

async function standIn(t: Pick<TestContext, "after">, address: string, given: () => Promise<Given | undefined>): Promise<StandIn & { port: number }> {
  let held: number | undefined;
  const server = createServer(async (_request, response) => {
    const revision = held === undefined ? (await given())?.revision : `${held}-0`;
    response.setHeader("content-type", "application/json").end(JSON.stringify({ revision }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return {
    address,
    port: (server.address() as AddressInfo).port,
    serve: (revision) => void (held = revision === Number.POSITIVE_INFINITY ? undefined : revision),
  };
}

/** A key of a Secret. */
export function text(secret: ShownSecret, key: string): string {
  return Buffer.from(secret.data[key] ?? "", "base64").toString();
}

/** The condition of a type, as `status/reason`. */
export function condition({ status }: ShownApplication, type = "Ready"): string {
  const found = status?.conditions?.find((each) => each.type === type);
  return found === undefined ? "none" : `${found.status}/${found.reason}`;
}

/** Looks again and again until `test` holds of what `look` finds, and answers it. Rejects with what was seen last. */
export async function until<T>(look: () => Promise<T>, test: (seen: T) => unknown, patienceMs = PATIENCE_MS): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (test(seen)) return seen;
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms; the last look: ${JSON.stringify(seen, null, 1)}`);
    await sleep(20);
  }
}
