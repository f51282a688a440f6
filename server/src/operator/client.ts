// The Kubernetes API by client-node.
import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  DiscoveryV1Api,
  EventsV1Api,
  type KubeConfig,
  PatchStrategy,
  ServerConfiguration,
  setHeaderOptions,
  type V1Endpoint,
  type V1Lease,
  V1MicroTime,
  type V1Secret,
  Watch,
} from "@kubernetes/client-node";
import { within } from "../deadline.ts";
import { type ApplicationWatch, type Endpoint, GROUP, type Kube, KubeError, type Lease, MANAGER, type Meta, PLURAL, type Secret, VERSION } from "./kube.ts";

/** Shorter than a lease outlives its renewal: a request of a leader that was is not answered later. Milliseconds. */
const REQUEST_MS = 4_000;
/** A list may be some megabytes. */
const LIST_MS = 30_000;
const REQUEST = { group: GROUP, version: VERSION, plural: PLURAL };

/** Asks the API server that `config` names. */
export function createKube(config: KubeConfig): Kube {
  const [core, custom, leases, slices, events] = apis(config);
  const watch = new Watch(config);
  return {
    async listApplications(namespace) {
      const list = namespace === undefined ? custom.listCustomObjectForAllNamespaces : custom.listNamespacedCustomObject;
      const answer: unknown = await ask(list.call(custom, { ...REQUEST, namespace: namespace ?? "", resourcePlural: PLURAL }), LIST_MS);
      return readList(answer);
    },
    watchApplications: (wanted) => stream(watch, wanted),
    async applyStatus({ namespace, name, uid }, status) {
      const body = { apiVersion: `${GROUP}/${VERSION}`, kind: "Application", metadata: { name, namespace, uid }, status };
      const apply = setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply);
      await ask(custom.patchNamespacedCustomObjectStatus({ ...REQUEST, namespace, name, body, fieldManager: MANAGER, force: true }, apply));
    },
    async getSecret(namespace, name) {
      const found = await orNone(core.readNamespacedSecret({ namespace, name }));
      return found && toSecret(found);
    },
    createSecret: async (secret) =>
      toSecret(await ask(core.createNamespacedSecret({ namespace: secret.metadata.namespace, body: fromSecret(secret), fieldManager: MANAGER }))),
    replaceSecret: async (secret) =>
      toSecret(
        await ask(
          core.replaceNamespacedSecret({
            namespace: secret.metadata.namespace,
            name: secret.metadata.name,
            body: fromSecret(secret),
            fieldManager: MANAGER,
          }),
        ),
      ),
    async patchSecret({ namespace, name, resourceVersion }, patch) {
      const body = { ...patch, metadata: { ...patch.metadata, resourceVersion } };
      await ask(core.patchNamespacedSecret({ namespace, name, body, fieldManager: MANAGER }, setHeaderOptions("Content-Type", PatchStrategy.MergePatch)));
    },
    async deleteSecret({ namespace, name, uid, resourceVersion }) {
      const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      await ask(core.deleteNamespacedSecret({ namespace, name, body: { preconditions } }));
    },
    async createEvent({ name, namespace, regarding, type, reason, action, note, instance, timeMs }) {
      const body = {
        metadata: { name, namespace },
        regarding: { apiVersion: `${GROUP}/${VERSION}`, kind: "Application", namespace, ...regarding },
        ...{ type, reason, action, note },
        reportingController: `${GROUP}/${MANAGER}`,
        reportingInstance: instance,
        eventTime: new V1MicroTime(timeMs),
      };
      await ask(events.createNamespacedEvent({ namespace, body, fieldManager: MANAGER }));
    },
    async getLease(namespace, name) {
      const found = await orNone(leases.readNamespacedLease({ namespace, name }));
      return found && toLease(found);
    },
    createLease: async (lease) => toLease(await ask(leases.createNamespacedLease({ namespace: lease.metadata.namespace, body: fromLease(lease) }))),
    replaceLease: async (lease) =>
      toLease(await ask(leases.replaceNamespacedLease({ namespace: lease.metadata.namespace, name: lease.metadata.name, body: fromLease(lease) }))),
    async listEndpoints(namespace, service) {
      const { items } = await ask(slices.listNamespacedEndpointSlice({ namespace, labelSelector: `kubernetes.io/service-name=${service}` }));
      return items.flatMap((slice) => slice.endpoints ?? []).map(toEndpoint);
    },
  };
}

function apis(config: KubeConfig) {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new KubeError(0, "the kubeconfig names no cluster");
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(cluster.server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        async pre(context) {
          context.setSignal(AbortSignal.timeout(LIST_MS));
          context.setHeaderParam("User-Agent", MANAGER);
          return context;
        },
        post: async (context) => context,
      },
    ],
  });
  return [
    new CoreV1Api(configuration),
    new CustomObjectsApi(configuration),
    new CoordinationV1Api(configuration),
    new DiscoveryV1Api(configuration),
    new EventsV1Api(configuration),
  ] as const;
}

/** Waits for an answer, and names what is wrong with it. */
async function ask<T>(answer: Promise<T>, ms = REQUEST_MS): Promise<T> {
  try {
    return await within(ms, answer, () => new KubeError(0, `the Kubernetes API did not answer within ${ms / 1000} s`));
  } catch (error) {
    throw toKubeError(error);
  }
}

async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  return ask(answer).catch((error: unknown) => {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw error;
  });
}

/** Without its cause, which holds the whole answer. */
function toKubeError(error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  if (error instanceof ApiException) return new KubeError(error.code, `the Kubernetes API answered ${error.code}: ${messageOf(error.body)}`);
  const status = typeof error === "object" && error !== null && "statusCode" in error ? Number(error.statusCode) : 0;
  if (status > 0) return new KubeError(status, `the Kubernetes API answered ${status}`);
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return new KubeError(0, `the Kubernetes API cannot be reached: ${cause instanceof Error ? cause.message : message}`);
}

/** The sentence of a `Status`. */
function messageOf(body: unknown): string {
  try {
    const status: unknown = typeof body === "string" ? JSON.parse(body) : body;
    if (typeof status === "object" && status !== null && "message" in status) return String(status.message);
  } catch {
    // An answer of something in between.
  }
  return "no reason given";
}

function readList(answer: unknown): { items: readonly unknown[]; resourceVersion: string } {
  const { items, metadata } = answer as { items?: unknown; metadata?: { resourceVersion?: string } };
  if (!Array.isArray(items)) throw new KubeError(0, "the Kubernetes API answered no list");
  return { items, resourceVersion: metadata?.resourceVersion ?? "" };
}

async function stream(watch: Watch, { namespace, from, timeoutSeconds, onEvent, signal }: ApplicationWatch): Promise<void> {
  const path = `/apis/${GROUP}/${VERSION}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${PLURAL}`;
  const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = (error: unknown): void => {
    // Half a minute without a word, which is usual: the next watch begins where this one ended.
    const isQuiet = error instanceof Error && error.name === "TimeoutError";
    if (!error || isQuiet || signal.aborted) resolve();
    else reject(toKubeError(error));
  };
  const controller = await watch.watch(path, query, (type: string, object: unknown) => onEvent(type as never, object), done);
  const stop = (): void => controller.abort();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  await promise.finally(() => signal.removeEventListener("abort", stop));
}

function toMeta(metadata: V1Secret["metadata"]): Meta {
  const { name = "", namespace = "", uid, resourceVersion, labels, annotations, ownerReferences } = metadata ?? {};
  return {
    ...{ name, namespace },
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
}

function toSecret({ metadata, type, data = {} }: V1Secret): Secret {
  return { apiVersion: "v1", kind: "Secret", metadata: toMeta(metadata), data, ...(type === undefined ? {} : { type }) };
}

function fromSecret({ metadata, type, data }: Secret): V1Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata as NonNullable<V1Secret["metadata"]>,
    data: { ...data },
    ...(type === undefined ? {} : { type }),
  };
}

function toLease({ metadata, spec }: V1Lease): Lease {
  return {
    metadata: toMeta(metadata),
    holder: spec?.holderIdentity ?? "",
    durationSeconds: spec?.leaseDurationSeconds ?? 0,
    transitions: spec?.leaseTransitions ?? 0,
    acquiredMs: toMs(spec?.acquireTime),
    renewedMs: toMs(spec?.renewTime),
  };
}

/** client-node leaves these times as they came, whatever their type says. */
function toMs(time: Date | string | undefined): number {
  return time === undefined ? 0 : new Date(time).getTime();
}

function fromLease({ metadata, holder, durationSeconds, transitions, acquiredMs, renewedMs }: Lease): V1Lease {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: metadata as NonNullable<V1Lease["metadata"]>,
    spec: {
      ...(holder === "" ? {} : { holderIdentity: holder }),
      leaseDurationSeconds: durationSeconds,
      leaseTransitions: transitions,
      acquireTime: new V1MicroTime(acquiredMs),
      renewTime: new V1MicroTime(renewedMs),
    },
  };
}

function toEndpoint({ addresses, conditions, targetRef }: V1Endpoint): Endpoint {
  // The API: absent means ready.
  return { addresses, ready: conditions?.ready !== false, pod: targetRef?.uid ?? targetRef?.name };
}
