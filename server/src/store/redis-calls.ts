// Calls to Redis with a bounded wait; what goes wrong becomes an error of the catalogue.
import { Deadlines } from "../deadline.ts";
import { type ErrorCode, XlveinError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Shard } from "../redis/links.ts";
import type { Scripts } from "./redis-scripts.ts";

/** Longest wait for an answer, whatever the connection believes of itself: a push makes two calls in turn, and is answered within 2 s. */
const CALL_TIMEOUT_MS = 900;
/** At most one log line in this time. */
const QUIET_MS = 10_000;

export interface CallsOptions {
  /** What a failure is called: STORE_UNAVAILABLE, or EXCHANGE_UNAVAILABLE where an append publishes too. */
  code: ErrorCode;
  log: Log;
  now: () => number;
  scripts: (shard: Shard) => Scripts;
}

/** Runs scripts on a shard. Rejects with the code; whether the call had an effect is not known then. */
export type Call = <T>(shard: Shard, run: (scripts: Scripts) => Promise<T>) => Promise<T>;

export function createCalls({ code, log, now, scripts }: CallsOptions): Call {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  const deadlines = new Deadlines(CALL_TIMEOUT_MS);
  const expired = () => new Error(`no answer within ${CALL_TIMEOUT_MS} ms`);

  function report(reason: string, message: string): void {
    failures++;
    if (now() < quietUntilMs) return;
    log.warn({ event: "store unavailable", reason, failures, message });
    quietUntilMs = now() + QUIET_MS;
    failures = 0;
  }

  function named(error: unknown): XlveinError {
    const message = error instanceof Error ? error.message.slice(0, 200) : "unknown";
    const reason = reasonOf(error);
    report(reason, message);
    // ioredis hangs the whole command, bodies included, on its errors: only the sentence goes on.
    return new XlveinError(code, "Redis did not accept the request in time; try again", { reason, cause: new Error(message) });
  }

  return async (shard, run) => {
    try {
      // What has not been looked at may be a replica that lags. A Cluster that lacks one master still has the others.
      if (!shard.up && !shard.cluster) throw new Error(`${shard.name}: ${shard.detail}`);
      shard.cork();
      // ioredis throws where a Cluster has no node for a slot.
      return await deadlines.within(run(scripts(shard)), expired);
    } catch (error) {
      throw named(error);
    }
  };
}

/** The word in front of Redis's answer (OOM, READONLY, NOPERM, …), in lower case. */
function reasonOf(error: unknown): string {
  const word = error instanceof Error && error.name === "ReplyError" ? /^[A-Z]{2,16}(?= )/.exec(error.message)?.[0] : undefined;
  return word?.toLowerCase() ?? "unreachable";
}
