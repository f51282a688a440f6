// Where the Kubernetes API is, and what proves who we are, as a pod finds both.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a call of the API needs. */
export interface KubernetesAccess {
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** PEM certificates of the API's authority; read at every call. */
  readonly caFile: string;
  /** The service account's token; read at every call, because kubelet replaces it. */
  readonly tokenFile: string;
  /** The pod's own. */
  readonly namespace: string;
  /** The pod's name, where it is known. */
  readonly pod: string | undefined;
}

/** Where kubelet, or a projected volume in its place, puts the token and what belongs to it. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Finds the API from the variables that every pod has. Throws a sentence, which `what` begins, when this is no pod. */
export function findAccess(env: Readonly<Record<string, string | undefined>>, what = ""): KubernetesAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (!host) throw new Error(`${what}needs a Kubernetes pod: KUBERNETES_SERVICE_HOST is not set`);
  const namespace = env.POD_NAMESPACE || readNamespace();
  if (namespace === undefined) throw new Error(`${what}needs the pod's namespace: POD_NAMESPACE is not set, and ${SERVICE_ACCOUNT}/namespace cannot be read`);
  return {
    host,
    port: Number(port) || 443,
    caFile: join(SERVICE_ACCOUNT, "ca.crt"),
    tokenFile: join(SERVICE_ACCOUNT, "token"),
    namespace,
    pod: env.POD_NAME || undefined,
  };
}

function readNamespace(): string | undefined {
  try {
    return readFileSync(join(SERVICE_ACCOUNT, "namespace"), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
