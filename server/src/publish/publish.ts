// The one road of a message: claim the caller's key, append to each stream, hand to the exchange.
import { createHash } from "node:crypto";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { messageEnvelope } from "../protocol/envelope.ts";
import { type Draft, type Message, newMsgId } from "../protocol/message.ts";
import type { Target } from "../protocol/target.ts";
import type { Store } from "../store/store.ts";

/** A nonce or an idempotency key that came with a request. */
export interface RequestKey {
  readonly kind: "nonce" | "idempotency_key";
  readonly value: string;
  /** Milliseconds to remember it. */
  readonly ttlMs: number;
  readonly onOtherBody: "refuse" | "allow_other_body";
}

export interface Published {
  readonly msgId: string;
  /** The key was seen before: the first request's message, not delivered again. */
  readonly duplicate: boolean;
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
}

export function createPublish({ store, exchange, metrics, now }: PublishOptions): Publish {
  /** Appends to every stream, then publishes to those that the store has not published to itself. */
  async function send(targets: readonly Target[], message: Message): Promise<void> {
    const appended = await Promise.all(targets.map((target) => store.append(target, message)));
    const rest = targets.filter((_, i) => !appended[i]?.published);
    if (rest.length === 0) return;
    await exchange.publish(rest, messageEnvelope(message));
    metrics.exchangePublished.inc(rest.length);
  }

  return async (app, targets, draft, key) => {
    const msgId = newMsgId();
    const message: Message = { ...draft, msgId, sendAt: now() };
    metrics.messagesReceived.inc({ app });
    if (key === undefined) {
      await send(targets, message);
      return { msgId, duplicate: false };
    }
    const bodyHash = hashBody(targets, draft);
    const other = key.onOtherBody === "allow_other_body" ? `:${bodyHash}` : "";
    const claim = await store.claim({ app, key: `${key.kind}:${key.value}${other}`, bodyHash, ttlMs: key.ttlMs }, msgId);
    if (claim.outcome === "other_body") throw new XlveinError(ErrorCode.KEY_REUSED, `${key.kind} was used before with another body`);
    // A first attempt may have failed half way: the same message goes to the targets that lack it.
    await send(targets, claim.outcome === "fresh" ? message : { ...message, msgId: claim.msgId });
    return { msgId: claim.msgId, duplicate: claim.outcome === "same" };
  };
}

function hashBody(targets: readonly Target[], { data }: Draft): string {
  const hash = createHash("sha256");
  for (const { kind, name } of targets) hash.update(`${kind}${name.length}:${name}`);
  return hash.update(data).digest("base64url");
}
