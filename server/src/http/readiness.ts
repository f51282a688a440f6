// Whether this node should receive traffic, and why not.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { Config } from "../config/config.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Store } from "../store/store.ts";
import type { ReadyState } from "./internal.ts";

export interface Readiness {
  state(): ReadyState;
  close(): void;
}

/** Watches event-loop lag and memory; a broker's outage gates only with `ready.exchange`, since a shared one would empty the whole Service. */
export function watchReadiness(ready: Config["ready"], exchange: Exchange, store: Store, draining: () => boolean, appCount: () => number): Readiness {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let lagMs = 0;
  const sampler = setInterval(() => {
    lagMs = delay.percentile(99) / 1e6;
    delay.reset();
  }, 5_000);
  sampler.unref();

  function state(): ReadyState {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const heap = used / limit;
    const [bus, memory] = [exchange.state(), store.state()];
    const checks = [
      { name: "draining", ok: !draining(), detail: draining() ? "the server is shutting down" : "no", gates: true },
      { name: "event-loop", ok: lagMs <= ready.eventLoopLagMs, detail: `p99 ${lagMs.toFixed(0)} ms of ${ready.eventLoopLagMs} ms`, gates: true },
      { name: "memory", ok: heap <= ready.heapUsedRatio, detail: `heap at ${(heap * 100).toFixed(0)} % of its limit`, gates: true },
      { name: "exchange", ok: bus.up, detail: bus.detail, gates: ready.exchange },
      { name: "store", ok: memory.up, detail: memory.detail, gates: false },
      { name: "applications", ok: appCount() > 0, detail: `${appCount()} configured`, gates: false },
    ];
    return { ready: checks.every(({ ok, gates }) => ok || !gates), checks };
  }
  return {
    state,
    close() {
      clearInterval(sampler);
      delay.disable();
    },
  };
}
