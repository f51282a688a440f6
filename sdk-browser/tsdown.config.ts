// Builds what is published: ESM and CJS with types for bundlers and Node, and one minified file for script tags.
import { defineConfig } from "tsdown";

/** Names of properties that never leave the package, shortened: none of them may be an option's, an event's, a frame's or the platform's. */
const INTERNAL =
  /^(accepted|address|aheadMs|answer|answered|ask|asleep|ask|base|body|call|callOff|connected|count|dial|down|emit|ended|enter|expired|failed|floorMs|flush|frame|given|hurry|know|local|lost|obtain|onDown|onFrame|once|opened|pass|pause|promise|raw|reconnect|refused|requests|reset|settle|sleep|source|spreadMs|start|stop|streamOf|take|tokens|tries|up|wait|wake)$/;

const shared = { target: "es2022", outDir: "dist", report: false, minify: { mangleProps: { include: INTERNAL } }, checks: { pluginTimings: false } } as const;
const library = { ...shared, platform: "neutral", format: ["esm", "cjs"], dts: true, sourcemap: "hidden" } as const;

export default defineConfig([
  // Each entry is complete in itself: the hooks take a client and need nothing of the other file at run time.
  { ...library, entry: { index: "src/index.ts" } },
  { ...library, entry: { react: "src/react.ts" } },
  { ...library, minify: false, entry: { testing: "src/testing.ts" } },
  {
    ...shared,
    platform: "browser",
    entry: { xlvein: "src/index.ts" },
    format: ["iife"],
    globalName: "xlvein",
    dts: false,
    outputOptions: { entryFileNames: "xlvein.iife.js", generatedCode: { symbols: false } },
  },
]);
