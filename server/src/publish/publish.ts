// The one road of a message: claim the caller's key, append to each stream, hand to the exchange.
import { createHash } from "node:crypto";
import { Deadlines } from "../deadline.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Delivery, Exchange } from "../exchange/exchange.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { messageEnvelope } from "../protocol/envelope.ts";
import { type Draft, type Message, newMsgId } from "../protocol/message.ts";
import type { EntryPosition } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";
import type { Appended, Store } from "../store/store.ts";

/** A nonce or an idempotency key that came with a request; `client_key`: one that a client chose, with its account in front. */
export interface RequestKey {
  readonly kind: "nonce" | "idempotency_key" | "client_key";
  readonly value: string;
  /** Milliseconds to remember it. */
  readonly ttlMs: number;
  readonly onOtherBody: "refuse" | "allow_other_body";
}

export interface Published {
  readonly msgId: string;
  /** The key was seen before: the first request's message, not delivered again. */
  readonly duplicate: boolean;
  /** Where the message stands in the stream of each target, in their order; `undefined` without a store that keeps streams. */
  readonly positions: readonly (EntryPosition | undefined)[];
}

/**
 * Publishes a draft to targets of one application.
 * Resolves when store and exchange have accepted it for every target.
 * Rejects with KEY_REUSED, STORE_UNAVAILABLE or EXCHANGE_UNAVAILABLE; a retry with the same key completes what was half done, once.
 */
export type Publish = (app: string, targets: readonly Target[], draft: Draft, key?: RequestKey) => Promise<Published>;

export interface PublishOptions {
  store: Store;
  exchange: Exchange;
  metrics: Metrics;
  now: () => number;
  /** Longest wait for store and exchange together, milliseconds; each bounds its own waits, too. Without it, as long as those take. */
  deadlineMs?: number;
}

export function createPublish({ store, exchange, metrics, now, deadlineMs }: PublishOptions): Publish {
  /** Appends to every stream, then publishes to those that the store has not published to itself. */
  async function send(targets: readonly Target[], message: Message, rememberMs: number, duplicate: boolean): Promise<Published> {
    const startMs = performance.now();
    const answers = targets.map((target) => store.append(target, message, rememberMs));
    const appended = answers.every(isThere) ? answers : await Promise.all(answers);
    const rest: Delivery[] = [];
    for (let i = 0; i < targets.length; i++) {
      const { published, position } = appended[i] as Appended;
      if (!published) rest.push({ target: targets[i] as Target, position });
    }
    if (rest.length > 0) await exchange.publish(rest, messageEnvelope(message));
    metrics.exchangePublished.inc(targets.length);
    metrics.exchangeLatency.observe((performance.now() - startMs) / 1_000);
    return { msgId: message.msgId, duplicate, positions: appended.map(({ position }) => position) };
  }

  async function sendOnce(app: string, targets: readonly Target[], message: Message, key: RequestKey): Promise<Published> {
    const bodyHash = hashBody(targets, message);
    const other = key.onOtherBody === "allow_other_body" ? `:${bodyHash}` : "";
    const { outcome, msgId } = await store.claim({ app, key: `${key.kind}:${key.value}${other}`, bodyHash, ttlMs: key.ttlMs }, message.msgId);
    if (outcome === "other_body") throw new XlveinError(ErrorCode.KEY_REUSED, `${key.kind} was used before with another body`);
    // A first attempt may have failed half way: the same message goes to the targets that lack it.
    return send(targets, { ...message, msgId }, key.ttlMs, outcome === "same");
  }

  const publish: Publish = (app, targets, draft, key) => {
    const message: Message = { ...draft, msgId: newMsgId(), sendAt: now() };
    metrics.messagesReceived.inc({ app });
    return key === undefined ? send(targets, message, 0, false) : sendOnce(app, targets, message, key);
  };
  // Past the deadline it is not known whether the message was accepted; a retry with the same key finds out.
  const expired = () => new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "the exchange did not confirm in time");
  if (deadlineMs === undefined) return publish;
  const deadlines = new Deadlines(deadlineMs);
  return (...request) => deadlines.within(publish(...request), expired);
}

function isThere<T>(answer: T | Promise<T>): answer is T {
  return !(answer instanceof Promise);
}

function hashBody(targets: readonly Target[], { data }: Draft): string {
  const hash = createHash("sha256");
  for (const { kind, name } of targets) hash.update(`${kind}${name.length}:${name}`);
  return hash.update(data).digest("base64url");
}
