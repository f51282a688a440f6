// The store of a single node: keys in this process, forgotten when it ends.
import { type Target, targetId } from "../protocol/target.ts";
import type { Appended, CallerKey, Claim, Store } from "./store.ts";

/** Keys remembered at most; beyond, the oldest is forgotten first (its request could then be repeated). About 300 bytes each. */
const MAX_KEYS = 200_000;

interface Owner {
  readonly key: string;
  readonly msgId: string;
  readonly bodyHash: string;
  readonly expiresAtMs: number;
  /** Targets that have the message. */
  readonly targets: Set<string>;
}

export interface MemoryStoreOptions {
  now: () => number;
  maxKeys?: number;
}

/** Only beside the local exchange, which never fails: what was appended was published too. */
export function createMemoryStore({ now, maxKeys = MAX_KEYS }: MemoryStoreOptions): Store {
  const owners = new Map<string, Owner>();
  const byMsgId = new Map<string, Owner>();

  function forget(owner: Owner): void {
    owners.delete(owner.key);
    byMsgId.delete(owner.msgId);
  }
  /** Drops what has expired, oldest first, a bounded number a time; then makes room. */
  function makeRoom(nowMs: number): void {
    let checks = 8;
    for (const owner of owners.values()) {
      if (owners.size < maxKeys && (owner.expiresAtMs > nowMs || checks-- <= 0)) break;
      forget(owner);
    }
  }
  function sweep(): void {
    const nowMs = now();
    for (const owner of owners.values()) if (owner.expiresAtMs <= nowMs) forget(owner);
  }
  const sweeper = setInterval(sweep, 30_000);
  sweeper.unref();

  return {
    type: "memory",
    async claim({ app, key, bodyHash, ttlMs }: CallerKey, msgId: string): Promise<Claim> {
      const nowMs = now();
      const id = `${app.length}:${app}${key}`;
      const known = owners.get(id);
      if (known && known.expiresAtMs > nowMs) return { outcome: known.bodyHash === bodyHash ? "same" : "other_body", msgId: known.msgId };
      if (known) forget(known);
      makeRoom(nowMs);
      const owner: Owner = { key: id, msgId, bodyHash, expiresAtMs: nowMs + ttlMs, targets: new Set() };
      owners.set(id, owner);
      byMsgId.set(msgId, owner);
      return { outcome: "fresh", msgId };
    },
    async append(target: Target, { msgId }): Promise<Appended> {
      const targets = byMsgId.get(msgId)?.targets;
      if (!targets) return { msgId, duplicate: false, published: false };
      const id = targetId(target);
      const duplicate = targets.has(id);
      targets.add(id);
      return { msgId, duplicate, published: duplicate };
    },
    async close() {
      clearInterval(sweeper);
      owners.clear();
      byMsgId.clear();
    },
  };
}
