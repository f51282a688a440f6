// Finds connections that are open but dead: asks once a second and wants an answer within a second.
import type { Redis } from "ioredis";

export interface WatchOptions {
  /** Between two questions, ms; 1,000 by default. */
  everyMs?: number;
  /** How long an answer may take, ms; 1,000 by default. */
  timeoutMs?: number;
  /** The question; PING by default. May reject with an `Unfit` error to say that the answer is not good enough. */
  ask?: (redis: Redis) => Promise<unknown>;
  /** The connection is dead, or unfit. By now it is being destroyed, and will connect again if it does that. */
  dead?: (reason: string) => void;
}

/** An answer that makes a connection useless, such as that of a replica. */
export class Unfit extends Error {}

/**
 * Watches a connection over all its reconnects until the returned function is called. A half-open link is found within two seconds.
 * Bytes that arrive while an answer is due count as life: it may be queued behind them.
 */
export function watch(redis: Redis, { everyMs = 1_000, timeoutMs = 1_000, ask = (r) => r.ping(), dead = () => {} }: WatchOptions = {}): () => void {
  let asked = 0;
  let deadline: NodeJS.Timeout | undefined;
  /** A connection that has not greeted at the last beat, and what it had read by then. */
  let greeting: { stream: Redis["stream"]; bytes: number } | undefined;

  const condemn = (reason: string) => {
    asked += 1;
    clearTimeout(deadline);
    deadline = undefined;
    dead(reason);
    destroy(redis);
  };
  /** Nothing can be asked before the greeting is over; it must go on from one beat to the next. */
  const watchGreeting = () => {
    const { stream } = redis;
    const bytes = stream?.bytesRead ?? 0;
    if (redis.status !== "connect") greeting = undefined;
    else if (greeting?.stream === stream && greeting.bytes === bytes) destroy(redis);
    else greeting = { stream, bytes };
  };
  const beat = () => {
    watchGreeting();
    if (redis.status !== "ready" || deadline !== undefined) return;
    const mine = ++asked;
    const { stream } = redis;
    const before = stream.bytesRead;
    // After a pause of our own the answer may be waiting to be read: look once more when sockets have been served.
    const overdue = () => {
      deadline = undefined;
      if (mine === asked && stream === redis.stream && stream.bytesRead === before && redis.status === "ready") condemn(`no answer in ${timeoutMs} ms`);
    };
    deadline = setTimeout(() => setImmediate(overdue), timeoutMs);
    const answered = () => {
      if (mine !== asked) return;
      clearTimeout(deadline);
      deadline = undefined;
    };
    ask(redis).then(answered, (error: Error) => {
      if (mine !== asked) return;
      if (error instanceof Unfit) condemn(error.message);
      // A time-out is for `overdue` to judge; any other error is an answer, or comes with the close.
      else if (error.message !== "Command timed out") answered();
    });
  };
  const timer = setInterval(beat, everyMs);
  return () => {
    asked += 1;
    clearInterval(timer);
    clearTimeout(deadline);
  };
}

/** Cuts the connection, whatever the other side does; ioredis then connects again as its retryStrategy says. */
export function destroy(redis: Redis): void {
  // `disconnect` while it resolves a master would end it for good.
  if (redis.status === "ready" || redis.status === "connect") redis.disconnect(true);
}
