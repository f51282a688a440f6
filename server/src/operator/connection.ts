// Where the Kubernetes API is and who we are to it: the pod's service account, else a kubeconfig.
import type { RequestOptions } from "node:https";
import { KubeConfig, type RequestContext } from "@kubernetes/client-node";
import { KubeError } from "./kube.ts";

/** How long connections are used before the authority's certificate is read again, milliseconds. */
const KEPT_MS = 600_000;

type Dispatcher = NonNullable<ReturnType<RequestContext["getDispatcher"]>>;

/** client-node makes a pool of connections for every request, a TLS handshake each; here they share one. */
class SharedConnections extends KubeConfig {
  #kept: Dispatcher | undefined;
  #sinceMs = 0;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    if (this.#kept !== undefined && performance.now() - this.#sinceMs < KEPT_MS) {
      context.setDispatcher(this.#kept);
      return this.#identify(context);
    }
    await super.applySecurityAuthentication(context);
    const made = context.getDispatcher();
    // Ends when what runs over it has ended.
    void this.#kept?.close();
    this.#kept = made;
    this.#sinceMs = performance.now();
  }

  /** A certificate is the connections' own; a token is read again from its file by the minute. */
  async #identify(context: RequestContext): Promise<void> {
    const options: RequestOptions = {};
    await this.applyToHTTPSOptions(options);
    const headers = (options.headers ?? {}) as Record<string, string>;
    if (options.auth) headers["Authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
    for (const [name, value] of Object.entries(headers)) context.setHeaderParam(name, value);
  }
}

/** Reads `file`, else KUBECONFIG, `~/.kube/config` or the service account of the pod, in this order. Throws a KubeError when there is none, or it cannot be read. */
export function connect(file?: string): KubeConfig {
  const config = new SharedConnections();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (error) {
    throw new KubeError(0, `the kubeconfig cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (config.getCurrentCluster()?.server === "http://localhost:8080")
    throw new KubeError(0, "there is no Kubernetes API: run this in a pod with a service account, or set KUBECONFIG");
  return config;
}

/** The namespace of the pod, or of the kubeconfig's context. */
export function ownNamespace(config: KubeConfig, env: NodeJS.ProcessEnv): string {
  return env["POD_NAMESPACE"] || config.getContextObject(config.getCurrentContext())?.namespace || "default";
}
