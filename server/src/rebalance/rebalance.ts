// After a scale-up: a node with far more connections than the mean closes its surplus, so that clients spread over all nodes.
import { randomUUID } from "node:crypto";
import type { RebalanceConfig } from "../config/config.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Connection } from "../hub/connection.ts";
import type { Hub } from "../hub/hub.ts";
import { sendAway } from "../hub/send-away.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type LoadEnvelope, loadEnvelope } from "../protocol/envelope.ts";
import { NODES } from "../protocol/target.ts";
import { createLoads } from "./loads.ts";

/** Between two tellings of a node. */
const BEAT_MS = 5_000;
/** In beats: a node that has not told for longer is not counted. */
const FORGET_BEATS = 3.2;
/** In beats, after a round: until what the others tell is how they are after it. */
const REST_BEATS = 3;
/** A surplus below this is not worth disturbing anybody. */
const LEAST_SURPLUS = 5;
/** Some clients come back to this node, and are closed again. More than this many closes for each of the surplus are in vain. */
const MOST_CLOSES = 4;
const GIVE_UP_MS = 600_000;
const STEP_MS = 20;

export interface RebalanceOptions {
  hub: Pick<Hub, "all">;
  exchange: Pick<Exchange, "hold" | "publish">;
  config: RebalanceConfig;
  /** Whether this node gets new connections: one that gets none is no place to send clients to, and closes none. */
  accepting: () => boolean;
  metrics: Pick<Metrics, "rebalanceClosed">;
  log: Log;
  now: () => number;
  beatMs?: number;
}

export interface Rebalance {
  /** Takes what another node, or this one, tells. */
  heard(envelope: LoadEnvelope): void;
  /** Begins to tell, to listen and to compare. */
  open(): void;
  /** May be called twice. */
  close(): void;
}

/** A round of closes, from the first above the threshold until the mean is reached. */
interface Round {
  /** The mean when it began. Later tellings are older than the closes: they miss the clients that are on their way. */
  readonly goal: number;
  /** Closes left before the round is in vain. */
  budget: number;
  /** Live connections when they were last looked at, the oldest last. */
  queue: Connection[];
}

/** Nothing happens before `open`. */
export function createRebalance({ hub, exchange, config, accepting, metrics, log, now, beatMs = BEAT_MS }: RebalanceOptions): Rebalance {
  const node = randomUUID();
  const loads = createLoads(now, beatMs * FORGET_BEATS);
  let timer: NodeJS.Timeout | undefined;
  let held: "no" | "asked" | "yes" = "no";
  let round: Round | undefined;
  let restsUntilMs = 0;
  /** Set while connections are being closed. */
  let pace: NodeJS.Timeout | undefined;

  /** The broker may be away: the next beat tries again. */
  function hold(): void {
    if (held !== "no") return;
    held = "asked";
    Promise.resolve(exchange.hold(NODES)).then(
      () => {
        held = "yes";
      },
      () => {
        held = "no";
      },
    );
  }

  function begin(own: number): Round | undefined {
    const { mean, nodes } = loads.compare(own);
    const surplus = own - mean;
    if (own <= mean * config.threshold || surplus < LEAST_SURPLUS || now() < restsUntilMs) return undefined;
    log.info({ event: "rebalancing", connections: own, mean: Math.round(mean), nodes });
    return { goal: Math.ceil(mean), budget: Math.ceil(surplus) * MOST_CLOSES, queue: [] };
  }

  function end(restMs: number): void {
    round = undefined;
    restsUntilMs = now() + restMs;
  }

  /** How many to close until the next beat. */
  function plan(own: number): number {
    round ??= begin(own);
    if (!round) return 0;
    const { goal, budget } = round;
    if (own <= goal) {
      log.info({ event: "rebalanced", connections: own, mean: goal });
      end(beatMs * REST_BEATS);
    } else if (budget <= 0) {
      const message = "clients come back to this node; does the balancer lead them to the others?";
      log.warn({ event: "rebalance given up", connections: own, mean: goal, again_in_seconds: GIVE_UP_MS / 1000, message });
      end(GIVE_UP_MS);
    }
    return Math.min(own - goal, budget, Math.ceil((config.closesPerSecond * beatMs) / 1000));
  }

  /** Closes `count`, the oldest first, at the pace that was asked for. */
  function closeOldest(count: number, from: Round): void {
    const startMs = now();
    let closed = 0;
    const step = () => {
      if (!accepting()) return endPace();
      const due = Math.min(count, Math.floor(((now() - startMs) * config.closesPerSecond) / 1000) + 1);
      for (; closed < due; closed++) {
        const connection = nextOldest(hub, from);
        if (!connection) break;
        from.budget--;
        metrics.rebalanceClosed.inc();
        sendAway(connection, CloseCode.REBALANCE, "server rebalances");
      }
      if (closed < due || closed === count) endPace();
    };
    pace = setInterval(step, STEP_MS);
    pace.unref();
    step();
  }

  function endPace(): void {
    clearInterval(pace);
    pace = undefined;
  }

  function beat(): void {
    hold();
    if (!accepting()) {
      round = undefined;
      return;
    }
    // A broker that is away brings nobody's tellings: then all others are forgotten, and nothing is closed.
    const own = countLive(hub);
    exchange.publish([{ target: NODES, position: undefined }], loadEnvelope(node, own)).catch(() => {});
    endPace();
    const count = plan(own);
    if (round && count > 0) closeOldest(count, round);
  }

  return {
    heard(envelope) {
      if (envelope.node !== node) loads.heard(envelope.node, envelope.connections);
    },
    open() {
      if (timer) return;
      timer = setInterval(beat, beatMs);
      timer.unref();
      beat();
    },
    close() {
      clearInterval(timer);
      endPace();
    },
  };
}

function isLive(connection: Connection): boolean {
  return connection.closedWith === undefined && connection.open;
}

/** Without those that have been closed and whose peers have not answered yet. */
function countLive(hub: Pick<Hub, "all">): number {
  let count = 0;
  for (const connection of hub.all()) if (isLive(connection)) count++;
  return count;
}

/** Sorted once a round, and again when a round has gone through all. */
function nextOldest(hub: Pick<Hub, "all">, round: Round): Connection | undefined {
  for (let looks = 0; looks < 2; looks++) {
    for (let connection = round.queue.pop(); connection; connection = round.queue.pop()) if (isLive(connection)) return connection;
    round.queue = [...hub.all()].filter(isLive).sort((a, b) => b.connectedAtMs - a.connectedAtMs);
  }
  return round.queue.pop();
}
