// What nodes have logged since a moment, to explain a figure that is out of bounds.
import type { Node } from "./nodes.ts";

const MOST_LINES = 60;

/** One line for each event of the exchange and the store, ms after `sinceMs` (of `Date.now()`). */
export function timeline(nodes: readonly Node[], sinceMs: number): string {
  const events = nodes.flatMap(({ lines }, nth) =>
    lines.flatMap((line) => {
      const { time, event = "", reason = "", message = "" } = JSON.parse(line) as { time: number | string; event?: string; reason?: string; message?: string };
      const afterMs = new Date(time).getTime() - sinceMs;
      return afterMs >= 0 && /redis|exchange|store|rabbitmq/.test(event)
        ? [{ afterMs, text: `${afterMs} ms: node ${nth}: ${[event, reason, message].join(" ").trim()}` }]
        : [];
    }),
  );
  return events
    .toSorted((a, b) => a.afterMs - b.afterMs)
    .slice(0, MOST_LINES)
    .map(({ text }) => text)
    .join("\n");
}
