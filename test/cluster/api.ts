// A small client of the Kubernetes API, for tests that look at single answers.
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

/** An object of the API, as far as every kind has it. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
}

/** What the API answers when something is refused, or deleted. */
export interface Status {
  readonly message?: string;
  readonly reason?: string;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T & Status;
}

export interface Credentials {
  /** Path of the authority's certificate. */
  readonly ca: string;
  /** Paths of a client's certificate and key… */
  readonly cert?: string;
  readonly key?: string;
  /** …or a bearer token. */
  readonly token?: string;
}

const PATCHES = { merge: "application/merge-patch+json", apply: "application/apply-patch+yaml", json: "application/json-patch+json" };
const LOOK_MS = 50;
const ANSWER_MS = 10_000;

export class KubernetesApi {
  readonly url: string;
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;

  constructor(url: string, { ca, cert, key, token }: Credentials) {
    this.url = url;
    const read = (path: string): string => readFileSync(path, "utf8");
    this.#agent = new Agent({ ca: read(ca), ...(cert && { cert: read(cert) }), ...(key && { key: read(key) }), keepAlive: true });
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** `T` is what the caller takes the answer for. Rejects when none came within ten seconds. */
  call<T = object>(method: string, path: string, body?: object, type = "application/json"): Promise<Answer<T>> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer<T>>();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = { ...this.#headers, accept: "application/json", ...(text && { "content-type": type, "content-length": Buffer.byteLength(text) }) };
    const outgoing = request(`${this.url}${path}`, { method, headers, agent: this.#agent, timeout: ANSWER_MS }, (response) => {
      const parts: string[] = [];
      response
        .setEncoding("utf8")
        .on("data", (part: string) => parts.push(part))
        .on("end", () => resolve({ status: response.statusCode ?? 0, body: parse(parts.join("")) as T & Status }))
        .on("error", reject);
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${method} ${path}: no answer within ${ANSWER_MS} ms`)));
    outgoing.on("error", reject);
    outgoing.end(text);
    return promise;
  }

  /** Rejects with the API's own sentence where it does not answer 2xx. */
  async demand<T = KubernetesObject>(method: string, path: string, body?: object, type?: string): Promise<T> {
    const { status, body: answer } = await this.call<T>(method, path, body, type);
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${answer.message ?? JSON.stringify(answer)}`);
    return answer;
  }

  get<T = KubernetesObject>(path: string): Promise<T> {
    return this.demand<T>("GET", path);
  }

  async list<T = KubernetesObject>(path: string): Promise<readonly T[]> {
    return (await this.demand<{ items: readonly T[] }>("GET", path)).items;
  }

  create<T = KubernetesObject>(path: string, object: object): Promise<T> {
    return this.demand<T>("POST", path, object);
  }

  patch<T = KubernetesObject>(path: string, change: object, how: keyof typeof PATCHES = "merge"): Promise<T> {
    return this.demand<T>("PATCH", path, change, PATCHES[how]);
  }

  async delete(path: string, options: object = {}): Promise<void> {
    await this.demand("DELETE", path, options);
  }

  /** Resolves with how long it took, ms, until the API server says that it is ready. */
  async ready(withinMs: number, alive: () => void = () => undefined): Promise<number> {
    for (const startMs = performance.now(); ; ) {
      const answer = await this.call("GET", "/readyz").catch((error: Error) => ({ status: 0, body: { message: error.message } }));
      const tookMs = performance.now() - startMs;
      if (answer.status === 200) return tookMs;
      alive();
      if (tookMs > withinMs) throw new Error(`the API server is not ready after ${withinMs} ms: ${answer.status} ${JSON.stringify(answer.body)}`);
      await sleep(LOOK_MS);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Some answers are plain text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}
