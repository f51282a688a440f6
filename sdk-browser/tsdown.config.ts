// Builds what is published: ESM and CJS with types for bundlers and Node, and one minified file for script tags.
import { defineConfig } from "tsdown";

const shared = { target: "es2022", outDir: "dist", report: false, minify: true, checks: { pluginTimings: false } } as const;
const library = { ...shared, platform: "neutral", format: ["esm", "cjs"], dts: true, sourcemap: true } as const;

export default defineConfig([
  // Each entry is complete in itself: the hooks take a client and need nothing of the other file at run time.
  { ...library, entry: { index: "src/index.ts" } },
  { ...library, entry: { react: "src/react.ts" } },
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
