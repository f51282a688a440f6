// A server's side of the measurement.
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Answers every message with the memory of this process, bytes, after the engine has given back all that it can. An ordinary collection keeps the space that new objects
 * had, several times what thousands of connections take, and sometimes more of it than at other times. Needs `--expose-gc`.
 */
export function answerRss(): void {
  process.on("message", async () => {
    for (let n = 0; n < 2; n++) {
      globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
      await sleep(50);
    }
    process.send?.({ rss: process.memoryUsage.rss() });
  });
  process.on("disconnect", () => process.exit());
}
