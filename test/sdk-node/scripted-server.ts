// An HTTP server that answers by a script, for what a real xlvein does not do on demand: fail, hang, break off.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { createXlvein, type Xlvein, type XlveinOptions } from "../../sdk-node/src/index.ts";

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON, or as it stands when it is text. */
  readonly body?: unknown;
}

/** `hang` never answers, `cut` closes the connection without an answer, `cut-body` in the middle of one. */
export type Step = Reply | "hang" | "cut" | "cut-body";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly remotePort: number;
}

export interface ScriptedServer {
  readonly url: string;
  readonly received: Received[];
  /** Resolves when the next request has arrived. */
  arrived(): Promise<Received>;
}

/** Answers the nth request by the nth step; a request too many gets a 418, which no test expects. A function answers every request. */
export async function startScript(t: TestContext, script: readonly Step[] | ((request: Received) => Step)): Promise<ScriptedServer> {
  const received: Received[] = [];
  const waiting: ((request: Received) => void)[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const one: Received = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, text, remotePort: request.socket.remotePort ?? 0 };
    received.push(one);
    play(typeof script === "function" ? script(one) : (script[received.length - 1] ?? { status: 418 }), response);
    waiting.shift()?.(one);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, arrived: () => new Promise((resolve) => waiting.push(resolve)) };
}

function play(step: Step, response: ServerResponse): void {
  if (step === "hang") return;
  if (step === "cut") {
    response.destroy();
    return;
  }
  if (step === "cut-body") {
    response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
    response.write('{"msg_id":', () => response.destroy());
    return;
  }
  const { status = 200, headers = {}, body } = step;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
}

/** An RFC 9457 answer as the server gives it. */
export function problem(status: number, code: number, extra: { headers?: Record<string, string>; retryable?: boolean; errors?: unknown } = {}): Reply {
  const { headers = {}, retryable = status === 429 || status >= 500, ...rest } = extra;
  const body = { type: `urn:xlvein:error:${code}`, title: "A title", status, code, detail: "a sentence", request_id: "req-1", retryable, ...rest };
  return { status, headers: { "content-type": "application/problem+json", ...headers }, body };
}

export const ACCEPTED: Reply = { body: { msg_id: "m-1", duplicate: false } };
export const SECRET = "0123456789abcdef0123456789abcdef";

/** A client that waits in no time and writes down how long it would have. */
export function createClient(url: string, options: Partial<XlveinOptions> = {}): { client: Xlvein; waits: number[] } {
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => void waits.push(ms);
  return { client: createXlvein({ url, appKey: "test", appSecret: SECRET, random: () => 0.5, wait, ...options }), waits };
}
