// The part of the Kubernetes API that a server uses, over HTTPS: list and watch of one Secret, and a patch of its own pod.
import { EventEmitter, once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import type { KubernetesAccess } from "../../server/src/kubernetes/access.ts";
import { createAuthority } from "../helpers/certificates.ts";
import { freePort } from "../helpers/redis-server.ts";

const SECRETS = "/api/v1/namespaces/push/secrets";
const PODS = "/api/v1/namespaces/push/pods/";

export interface KubernetesApi {
  readonly access: KubernetesAccess;
  /** Every request as `LIST`, `WATCH version` or `PATCH body`, refused ones with their status in front. */
  readonly requests: string[];
  /** The next request that matches, from those that nobody has waited for. */
  asked(pattern: RegExp): Promise<string>;
  /** Writes the Secret; `undefined` deletes it. Watchers are told. */
  write(files: Readonly<Record<string, string | Buffer>> | undefined): void;
  /** Tells watchers a newer version and nothing else. */
  bookmark(): void;
  /** Ends every watch: as the API does when its time is up, with a cut, or with an event of 410. */
  end(how: "end" | "cut" | "expire"): void;
  /** From now on watches from before this moment are answered 410. */
  compact(): void;
  /** The token that counts; the pod's file has it too, unless `elsewhere`. */
  rotate(token: string, elsewhere?: "elsewhere"): void;
  /** Takes connections and says nothing any more. */
  silence(): void;
  /** Answers every request with this status; 200 ends it. */
  refuse(status: number): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts with a Secret `apps` that does not exist, in the namespace `push`, for the pod `xlvein-0`. */
export async function startKubernetesApi(t: Pick<TestContext, "after">): Promise<KubernetesApi> {
  const authority = await createAuthority(t);
  const { cert, key } = await authority.issue("kubernetes");
  const tokenFile = join(authority.directory, "token");
  const news = new EventEmitter();
  const requests: string[] = [];
  const unasked: string[] = [];
  const watchers = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  let version = 100;
  let oldest = 0;
  let data: Record<string, string> | undefined;
  let token = "";
  let status = 200;
  let silent = false;

  const secret = () => ({ kind: "Secret", apiVersion: "v1", metadata: { name: "apps", namespace: "push", resourceVersion: String(version) }, data });
  const note = (request: string) => {
    requests.push(request);
    unasked.push(request);
    news.emit("asked");
  };
  const tell = (type: string, object: object) => {
    for (const watcher of watchers) watcher.write(`${JSON.stringify({ type, object })}\n`);
  };
  const statusObject = (code: number, message: string) => ({ kind: "Status", apiVersion: "v1", status: "Failure", message, code });
  function refuse(response: ServerResponse, code: number, what: string): void {
    note(`${code} ${what}`);
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(statusObject(code, `refused with ${code}`)));
  }

  function watch(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get("resourceVersion"));
    if (from < oldest) return refuse(response, 410, `WATCH ${from}`);
    response.writeHead(200, { "content-type": "application/json", "transfer-encoding": "chunked" }).flushHeaders();
    watchers.add(response);
    response.once("close", () => watchers.delete(response));
    // What happened between the list and the watch.
    if (from < version && data) response.write(`${JSON.stringify({ type: "MODIFIED", object: secret() })}\n`);
    note(`WATCH ${from}`);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (silent) return;
    const { pathname, searchParams: query } = new URL(request.url ?? "", "https://kubernetes");
    const what = request.method === "PATCH" ? `PATCH ${await text(request)}` : query.has("watch") ? `WATCH ${query.get("resourceVersion")}` : "LIST";
    if (status !== 200) return refuse(response, status, what);
    if (request.headers.authorization !== `Bearer ${token}`) return refuse(response, 401, what);
    if (request.method === "PATCH") {
      if (pathname !== `${PODS}xlvein-0` || request.headers["content-type"] !== "application/merge-patch+json") return refuse(response, 403, what);
      note(what);
      return void response.end("{}");
    }
    // The Role allows list and watch of this one name; without the selector they are about all Secrets.
    if (request.method !== "GET" || pathname !== SECRETS || query.get("fieldSelector") !== "metadata.name=apps") return refuse(response, 403, what);
    if (query.has("watch")) return watch(query, response);
    note("LIST");
    response.end(JSON.stringify({ kind: "SecretList", apiVersion: "v1", metadata: { resourceVersion: String(version) }, items: data ? [secret()] : [] }));
  }

  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => void answer(request, response));
  server.on("secureConnection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  async function stop(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  const port = await freePort();
  const start = async () => void (await once(server.listen(port, "127.0.0.1"), "listening"));
  await start();
  t.after(stop);

  const api: KubernetesApi = {
    access: { host: "127.0.0.1", port: (server.address() as AddressInfo).port, caFile: authority.ca, tokenFile, namespace: "push", pod: "xlvein-0" },
    requests,
    async asked(pattern) {
      for (;;) {
        const at = unasked.findIndex((each) => pattern.test(each));
        if (at >= 0) return unasked.splice(0, at + 1)[at] as string;
        await once(news, "asked");
      }
    },
    write(files) {
      const type = files === undefined ? "DELETED" : data === undefined ? "ADDED" : "MODIFIED";
      version++;
      const before = secret();
      data = files && Object.fromEntries(Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString("base64")]));
      tell(type, files === undefined ? before : secret());
    },
    bookmark() {
      version++;
      tell("BOOKMARK", { kind: "Secret", apiVersion: "v1", metadata: { resourceVersion: String(version), creationTimestamp: null } });
    },
    end(how) {
      if (how === "expire") tell("ERROR", statusObject(410, "too old resource version"));
      for (const watcher of watchers) {
        if (how === "cut") watcher.socket?.destroy();
        else watcher.end();
      }
      watchers.clear();
    },
    compact() {
      oldest = ++version;
    },
    rotate(fresh, elsewhere) {
      token = fresh;
      if (!elsewhere) writeFileSync(tokenFile, `${fresh}\n`);
    },
    silence() {
      silent = true;
    },
    refuse(code) {
      status = code;
    },
    stop,
    start,
  };
  api.rotate("first");
  return api;
}
