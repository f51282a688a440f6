// Emptying a node: its sockets are closed at an even pace, so that their clients do not all come back at once.
import { setTimeout as sleep } from "node:timers/promises";
import { CloseCode } from "../generated/codes.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { encodeDrain } from "../protocol/frames.ts";
import { textFrame } from "../protocol/ws-frame.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { sendAway } from "./send-away.ts";

const STEP_MS = 20;
/** After the last close frame: the peers' time to answer it, a little longer than the sockets' own time-out. */
const LINGER_MS = 3_000;

export interface DrainOptions {
  windowMs: number;
  now: () => number;
  metrics: Metrics;
  /** Ends the pacing: everything still open is cut. */
  signal: AbortSignal;
  /** From 0 to below 1. */
  random?: () => number;
}

/** Tells v2 clients, then closes every socket (classic 1012, v2 4200 with a hint), evenly over the window; resolves when all have gone or have been cut. */
export async function drain(hub: Hub, { windowMs, now, metrics, signal, random = Math.random }: DrainOptions): Promise<void> {
  metrics.readAtScrape("xlvein_drain_connections_remaining", () => metrics.drainRemaining.set(hub.count));
  const startMs = now();
  const waiting = [...hub.all()];
  const notice = { frame: textFrame(encodeDrain(windowMs)) };
  for (const connection of waiting) if (connection.protocol === "v2") connection.send(notice);
  const paceMs = windowMs / Math.max(1, waiting.length);
  let closed = 0;
  while (closed < waiting.length && !signal.aborted) {
    const due = paceMs === 0 ? waiting.length : Math.min(waiting.length, Math.floor((now() - startMs) / paceMs) + 1);
    while (closed < due) restart(waiting[closed++] as Connection, random);
    if (closed < waiting.length) await sleep(STEP_MS);
  }
  // Handshakes that were under way when the drain began.
  for (const connection of hub.all()) restart(connection, random);
  const deadlineMs = now() + LINGER_MS;
  while (hub.count > 0 && now() < deadlineMs && !signal.aborted) await sleep(STEP_MS);
  for (const connection of [...hub.all()]) {
    metrics.drainForced.inc();
    connection.cut(CloseCode.SERVICE_RESTART);
  }
}

function restart(connection: Connection, random: () => number): void {
  sendAway(connection, CloseCode.DRAIN, "server restarts", random);
}
