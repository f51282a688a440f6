// A server's side of the measurement.

/** Answers every message with the memory of this process, bytes, after what is not needed has been collected. Needs `--expose-gc`. */
export function answerRss(): void {
  process.on("message", async () => {
    for (let n = 0; n < 3; n++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.send?.({ rss: process.memoryUsage.rss() });
  });
  process.on("disconnect", () => process.exit());
}
