// The short road of a push: requests in the usual form go past the framework. Checks, handlers and answers are those of the long road.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { type Answer, bodyHeaders, JSON_TYPE } from "./answer.ts";
import { decode, FORM, parseForm } from "./body.ts";
import type { PushBody } from "./push-body.ts";
import type { PushMeter } from "./push-meter.ts";
import { createPushRequest, type PushRequest } from "./push-request.ts";
import type { Check } from "./validator.ts";

/** One path that takes pushes. */
export interface PushDoor {
  /** By media type: what it takes. */
  readonly checks: ReadonlyMap<string, Check>;
  readonly readJson: (text: string) => PushBody;
  /** Looks at the head, before the body is read; throws what the push is refused with. */
  readonly authenticate?: (request: PushRequest) => void;
  readonly handler: (request: PushRequest) => Promise<object>;
  /** What a failed push is answered with. */
  readonly refuse: (cause: unknown, request: PushRequest) => Answer;
}

export interface FastPushOptions {
  /** By path. */
  doors: ReadonlyMap<string, PushDoor>;
  meter: PushMeter;
  /** Largest body, bytes. */
  bodyBytes: number;
  newRequestId: () => string;
  draining: () => boolean;
  onAnswered: (request: PushRequest, status: number, ms: number) => void;
}

/** Content types as nearly everybody spells them; other spellings take the long road. */
const USUAL_TYPES: ReadonlyMap<string | undefined, string> = new Map([
  ["application/json", "application/json"],
  ["application/json; charset=utf-8", "application/json"],
  ["application/json;charset=utf-8", "application/json"],
  ["application/json;charset=UTF-8", "application/json"],
  [FORM, FORM],
]);
const LENGTH = /^[1-9]\d{0,14}$/;

/** Wraps the framework's listener, which is handed whatever is not a push in the usual form. */
export function createFastPush({
  doors,
  meter,
  bodyBytes,
  newRequestId,
  draining,
  onAnswered,
}: FastPushOptions): (longRoad: RequestListener) => RequestListener {
  /** Never rejects: whatever fails becomes the answer. */
  async function take(door: PushDoor, check: Check, raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const startMs = performance.now();
    const request = createPushRequest(raw, newRequestId());
    let answer: Answer;
    try {
      door.authenticate?.(request);
      parseInto(request, door, await readBody(raw));
      const fault = check(request.body, "");
      if (fault) throw fault;
      answer = { status: 200, type: JSON_TYPE, body: await door.handler(request) };
    } catch (cause) {
      answer = door.refuse(cause, request);
    }
    const ms = performance.now() - startMs;
    meter.count(request, answer.status, ms);
    write(response, request.id, answer);
    onAnswered(request, answer.status, ms);
  }

  return (longRoad) => (raw, response) => {
    const door = raw.method === "POST" ? doors.get(raw.url ?? "") : undefined;
    const check = door && checkFor(door, raw, bodyBytes);
    if (door && check && !draining()) void take(door, check, raw, response);
    else longRoad(raw, response);
  };
}

/** What the body must fit, when the head is in the usual form: a type that the door takes, and a length within bounds. */
function checkFor({ checks }: PushDoor, { headers }: IncomingMessage, bodyBytes: number): Check | undefined {
  const type = USUAL_TYPES.get(headers["content-type"]);
  const length = headers["content-length"];
  if (type === undefined || length === undefined || !LENGTH.test(length) || Number(length) > bodyBytes) return undefined;
  return headers["content-encoding"] === undefined && headers.expect === undefined ? checks.get(type) : undefined;
}

/** Rejects when the connection ends before the body does. */
function readBody(raw: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    raw.on("data", (chunk: Buffer) => void chunks.push(chunk));
    raw.on("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    raw.on("error", reject);
  });
}

function parseInto(request: PushRequest, { readJson }: PushDoor, body: Buffer): void {
  const text = decode(request.headers, body);
  if (request.headers["content-type"] === FORM) {
    request.body = parseForm(text);
  } else {
    const { value, data } = readJson(text);
    request.bodyText = text;
    request.body = value;
    request.data = data;
  }
}

function write(response: ServerResponse, requestId: string, { status, type, headers, body }: Answer): void {
  const text = JSON.stringify(body);
  const all = bodyHeaders(requestId, type, Buffer.byteLength(text));
  response.writeHead(status, headers ? { ...all, ...headers } : all).end(text);
}
