// A Kubernetes API of a few objects in memory, for tests of the operator that need no API server.
import { EventEmitter, once } from "node:events";
import { gunzipSync } from "node:zlib";
import { type Endpoint, type Kube, KubeError, type Secret } from "../../server/src/operator/kube.ts";

/** What the operator sees and does. */
export interface World {
  readonly kube: Kube;
  /** By `NAMESPACE/NAME`. */
  readonly secrets: Map<string, Secret>;
  readonly statuses: Map<string, unknown>;
  /** Namespaces whose applications may not be listed. */
  readonly forbidden: Set<string>;
  /** Applications that are there when a list is asked for. */
  readonly applications: object[];
  endpoints: readonly Endpoint[];
  /** Resolves when `test` holds, which is looked at after each write and each `touch`. */
  until(test: () => boolean): Promise<void>;
  touch(): void;
}

/** An Application as the API server shows it. */
export function shown(namespace: string, name: string, spec: object = {}): object {
  return { metadata: { namespace, name, uid: `uid-${namespace}-${name}`, generation: 1, resourceVersion: "1" }, spec };
}

/** Nothing is there at first; watches are silent until they are aborted. */
export function createWorld(): World {
  const secrets = new Map<string, Secret>();
  const written = new EventEmitter();
  let version = 0;
  const put = (secret: Secret): Secret => {
    const { namespace, name } = secret.metadata;
    const { uid = `uid-secret-${name}` } = secrets.get(`${namespace}/${name}`)?.metadata ?? {};
    const stored = { ...secret, metadata: { ...secret.metadata, uid, resourceVersion: String(++version) } };
    secrets.set(`${namespace}/${name}`, stored);
    written.emit("write");
    return stored;
  };
  const world: World = {
    ...{ secrets, statuses: new Map(), forbidden: new Set(), applications: [], endpoints: [] },
    touch: () => void written.emit("write"),
    async until(test) {
      while (!test()) await once(written, "write");
    },
    kube: {
      async listApplications(namespace) {
        if (namespace !== undefined && world.forbidden.has(namespace)) throw new KubeError(403, "applications is forbidden");
        const items = world.applications.filter(
          (app) => namespace === undefined || (app as { metadata: { namespace: string } }).metadata.namespace === namespace,
        );
        return { items, resourceVersion: String(++version) };
      },
      watchApplications: ({ signal }) =>
        new Promise((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve());
        }),
      async applyStatus({ namespace, name }, status) {
        world.statuses.set(`${namespace}/${name}`, status);
        written.emit("write");
      },
      getSecret: async (namespace, name) => secrets.get(`${namespace}/${name}`),
      async createSecret(secret) {
        if (secrets.has(`${secret.metadata.namespace}/${secret.metadata.name}`)) throw new KubeError(409, "it exists");
        return put(secret);
      },
      async replaceSecret(secret) {
        const found = secrets.get(`${secret.metadata.namespace}/${secret.metadata.name}`);
        if (found?.metadata.resourceVersion !== secret.metadata.resourceVersion) throw new KubeError(409, "it has changed");
        return put(secret);
      },
      async patchSecret({ namespace, name }, { data = {}, metadata }) {
        const found = secrets.get(`${namespace}/${name}`);
        if (found === undefined) throw new KubeError(404, "there is none");
        const annotations = { ...found.metadata.annotations, ...metadata.annotations };
        put({ ...found, metadata: { ...found.metadata, annotations }, data: { ...found.data, ...data } });
      },
      async deleteSecret({ namespace, name }) {
        secrets.delete(`${namespace}/${name}`);
      },
      createEvent: async () => undefined,
      getLease: async () => undefined,
      createLease: async (lease) => lease,
      replaceLease: async (lease) => lease,
      listEndpoints: async () => world.endpoints,
    },
  };
  return world;
}

/** A key of a Secret, read as JSON, compressed or not. */
export function parsed(secret: Secret | undefined, key = "applications.json"): unknown {
  const packed = secret?.data[`${key}.gz`];
  const bytes = packed === undefined ? Buffer.from(secret?.data[key] ?? "", "base64") : gunzipSync(Buffer.from(packed, "base64"));
  return JSON.parse(bytes.toString());
}
