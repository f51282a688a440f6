// The options of `createXlvein`, checked once.
import { createSecretKey, type KeyObject } from "node:crypto";
import { type Bases, parseBases } from "./url.ts";

/** What `createXlvein` needs to know. */
export interface XlveinOptions {
  /** Address of the server as this process reaches it: `http(s)://` or `ws(s)://`, with the path prefix if it is served under one. */
  readonly url: string;
  /** Address for `connectUrl`, where clients reach the server under another one. Default: `url`. */
  readonly publicUrl?: string | undefined;
  /** The application's public key. */
  readonly appKey: string;
  /** The application's secret. Keep it on the server: whoever has it can push, and connect as anyone. */
  readonly appSecret: string;
  /** Longest wait for one attempt's complete answer, milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Longest time for one call with all its attempts and waits, milliseconds. Default 30,000. */
  readonly totalTimeoutMs?: number | undefined;
  /** Further attempts after a 429, a 5xx or a network failure; 0 to 10. Default 2. */
  readonly retries?: number | undefined;
  /** Sends what `push` is given at about the same time in one request: many more messages a second, each a few milliseconds later. Default: each goes at once. */
  readonly batch?: BatchOptions | undefined;
  /** Replaces the global `fetch`: for a proxy, or for tests. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Replaces `Date.now`, for tests: milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /** Replaces `Math.random`, for tests. */
  readonly random?: (() => number) | undefined;
  /** Replaces the wait between two attempts, for tests. Must reject with the signal's reason when it aborts. */
  readonly wait?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

/** How messages are gathered. */
export interface BatchOptions {
  /** A request is sent as soon as so many messages wait, 2 to 1,000. Default 100. An application's `pushes_per_second` should be above it. */
  readonly maxMessages?: number | undefined;
  /** Longest wait of a message for others, milliseconds, 0 to 1,000; 0 gathers what is pushed in one turn of the event loop. Default 5. */
  readonly maxDelayMs?: number | undefined;
}

/** The same, with the defaults. */
export type Gathering = { readonly [Name in keyof BatchOptions]-?: number };

/** The options as the rest of the package uses them. */
export interface Settings {
  readonly bases: Bases;
  readonly publicBases: Bases;
  readonly appKey: string;
  readonly appSecret: string;
  /** Made once: a string secret is parsed anew for every signature. */
  readonly key: KeyObject;
  readonly timeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly retries: number;
  readonly batch: Gathering | undefined;
  readonly fetch: NonNullable<XlveinOptions["fetch"]>;
  readonly now: () => number;
  readonly random: () => number;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** @throws TypeError or RangeError that names the option at fault; never shows a secret. */
export function parseOptions(options: XlveinOptions): Settings {
  if (typeof options !== "object" || options === null) throw new TypeError("createXlvein: pass an object with url, appKey and appSecret");
  const appSecret = text("appSecret", options.appSecret);
  const bases = parseBases("url", text("url", options.url));
  return {
    bases,
    publicBases: options.publicUrl === undefined ? bases : parseBases("publicUrl", text("publicUrl", options.publicUrl)),
    appKey: text("appKey", options.appKey),
    appSecret,
    key: createSecretKey(Buffer.from(appSecret, "utf8")),
    timeoutMs: whole("timeoutMs", options.timeoutMs ?? 10_000, 1, MAX_TIMER_MS),
    totalTimeoutMs: whole("totalTimeoutMs", options.totalTimeoutMs ?? 30_000, 1, MAX_TIMER_MS),
    retries: whole("retries", options.retries ?? 2, 0, 10),
    batch: options.batch === undefined ? undefined : parseBatch(options.batch),
    fetch: callable("fetch", options.fetch) ?? ((url, init) => globalThis.fetch(url, init)),
    now: callable("now", options.now) ?? Date.now,
    random: callable("random", options.random) ?? Math.random,
    wait: callable("wait", options.wait) ?? wait,
  };
}

/** Longest delay that a timer takes: 2^31 − 1 ms. */
export const MAX_TIMER_MS = 2_147_483_647;

function text(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError(`createXlvein: ${name} must be a non-empty string`);
  return value;
}

function parseBatch(batch: BatchOptions): Gathering {
  if (typeof batch !== "object" || batch === null) throw new TypeError("createXlvein: batch must be an object like { maxMessages: 100, maxDelayMs: 5 }");
  return {
    maxMessages: whole("batch.maxMessages", batch.maxMessages ?? 100, 2, 1_000),
    maxDelayMs: whole("batch.maxDelayMs", batch.maxDelayMs ?? 5, 0, 1_000),
  };
}

/** A whole number from `min` to `max`. */
export function whole(name: string, value: unknown, min: number, max: number): number {
  if (!Number.isInteger(value)) throw new TypeError(`${name} must be a whole number`);
  if ((value as number) < min || (value as number) > max) throw new RangeError(`${name} must be ${min} to ${max}, got ${value}`);
  return value as number;
}

function callable<F>(name: string, value: F): F {
  if (value !== undefined && typeof value !== "function") throw new TypeError(`createXlvein: ${name} must be a function`);
  return value;
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
