// One call of the Kubernetes API. The token and the authority are read each time: both are replaced while a pod runs.
import { readFile } from "node:fs/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request } from "node:https";
import type { KubernetesAccess } from "./access.ts";

/** Until the answer begins, and between two pieces of it, milliseconds. */
const ANSWER_MS = 5_000;
/** A Secret holds at most 1 MiB, a third more in base64; more is no answer to our questions. */
export const MAX_ANSWER_BYTES = 4 * 1_048_576;

export interface ApiCall {
  readonly method?: "GET" | "PATCH";
  /** With its query. */
  readonly path: string;
  /** A JSON merge patch (RFC 7386). */
  readonly patch?: object;
  /** Ends the call, wherever it is. */
  readonly signal: AbortSignal;
}

/** The API has answered with something else than success. */
export class ApiStatusError extends Error {
  override readonly name = "ApiStatusError";
  readonly status: number;
  /** What `Retry-After` asks for, 0 without. */
  readonly retryAfterMs: number;

  constructor(status: number, reason: string, retryAfterMs: number) {
    super(`the Kubernetes API answered ${status}${reason === "" ? "" : `: ${reason}`}`);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** An answer that has begun, with its request: `setTimeout` of that bounds the silence between two pieces. */
export interface Answer {
  readonly response: IncomingMessage;
  readonly request: ClientRequest;
}

/** Resolves when an answer of 200 begins. Rejects with ApiStatusError, or with what the network says. */
export async function begin(access: KubernetesAccess, { method = "GET", path, patch, signal }: ApiCall): Promise<Answer> {
  const [ca, token] = await Promise.all([readFile(access.caFile), readFile(access.tokenFile, "utf8")]);
  const body = patch === undefined ? undefined : JSON.stringify(patch);
  const call = request({
    host: access.host,
    port: access.port,
    method,
    path,
    ca,
    agent: false,
    signal,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${token.trim()}`,
      ...(body === undefined ? {} : { "content-type": "application/merge-patch+json", "content-length": Buffer.byteLength(body) }),
    },
  });
  call.setTimeout(ANSWER_MS, () => call.destroy(new Error("the Kubernetes API does not answer")));
  call.once("socket", (socket) => socket.setKeepAlive(true, 30_000));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.on("error", reject);
    call.end(body);
  });
  if (response.statusCode === 200) return { response, request: call };
  throw await refusalOf(response);
}

/** Calls and reads the whole answer. Rejects as `begin` does. */
export async function callApi(access: KubernetesAccess, call: ApiCall): Promise<unknown> {
  const { response } = await begin(access, call);
  return JSON.parse(await readBody(response)) as unknown;
}

async function refusalOf(response: IncomingMessage): Promise<ApiStatusError> {
  const text = await readBody(response).catch(() => "");
  const seconds = Number(response.headers["retry-after"] ?? 0);
  return new ApiStatusError(response.statusCode ?? 0, messageOf(text), Number.isFinite(seconds) ? seconds * 1000 : 0);
}

/** The `message` of a Status object. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message.slice(0, 300) : "";
  } catch {
    return "";
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      response.destroy();
      throw new Error(`the Kubernetes API answered more than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
