// The life of one shard: away, admitted, up, and the reason while it is not.
import type { Log } from "../log.ts";
import { RedisRefusal, refusalOf } from "./refusal.ts";

/** A node that refuses us is asked again after this, ms: its configuration may be mended while we run. */
const ASK_AGAIN_MS = 2_000;

export interface LinkOptions {
  /** For logs: `host:port`. */
  readonly name: string;
  readonly log: Log;
  /** Checks the server; resolves when it may be used. Rejects with RedisRefusal, or anything else to try again. */
  readonly admit: () => Promise<void>;
  /** The shard went away or came back. */
  readonly onChange: () => void;
}

export interface Link {
  readonly up: boolean;
  readonly detail: string;
  /** The shard can be reached: admits it, unless that is under way. */
  reached(): void;
  /** The shard is away. */
  lost(reason: string): void;
  /** An error of a connection: kept as the reason while the shard is away, and read for refusals. */
  failed(error: Error): void;
  /** Rejects when the shard refuses us for good, resolves when it is up; neither while it is merely away. */
  readonly first: Promise<void>;
  close(): void;
}

export function createLink({ name, log, admit, onChange }: LinkOptions): Link {
  let state: "away" | "admitting" | "up" | "closed" = "away";
  let detail = "not reached yet";
  let again: NodeJS.Timeout | undefined;
  const { promise: first, resolve, reject } = Promise.withResolvers<void>();
  first.catch(() => {});

  function become(next: typeof state, reason: string): void {
    const was = state;
    state = next;
    detail = reason;
    if ((was === "up") !== (next === "up") && next !== "closed") onChange();
  }
  function refuse(refusal: RedisRefusal): void {
    if (state === "closed") return;
    const news = detail !== refusal.message;
    become("away", refusal.message);
    if (news) log.error({ event: "redis refuses", shard: name, reason: refusal.message });
    reject(new RedisRefusal(`Redis ${name}: ${refusal.message}`));
  }
  async function reached(): Promise<void> {
    if (state !== "away") return;
    state = "admitting";
    clearTimeout(again);
    try {
      await admit();
      if (state !== "admitting") return;
      become("up", "");
      log.info({ event: "redis up", shard: name });
      resolve();
    } catch (error) {
      if (state !== "admitting") return;
      state = "away";
      const refusal = refusalOf(error as Error);
      if (refusal) refuse(refusal);
      else detail = (error as Error).message;
      again = setTimeout(() => void reached(), refusal ? ASK_AGAIN_MS : 200);
    }
  }
  return {
    get up() {
      return state === "up";
    },
    get detail() {
      return detail;
    },
    first,
    reached: () => void reached(),
    lost(reason) {
      clearTimeout(again);
      if (state === "closed") return;
      if (state === "up") log.warn({ event: "redis lost", shard: name, reason });
      if (state !== "away") become("away", reason);
    },
    failed(error) {
      const refusal = refusalOf(error);
      if (refusal) refuse(refusal);
      else if (state === "away") detail = error.message;
    },
    close() {
      clearTimeout(again);
      become("closed", "closed");
      resolve();
    },
  };
}
