// Builds the console page's script: one file, as every browser of the last years reads it.
import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { console: "console/main.ts" },
  format: ["iife"],
  platform: "browser",
  target: "es2022",
  tsconfig: "console/tsconfig.json",
  outDir: "dist/assets/console",
  dts: false,
  minify: true,
  sourcemap: false,
  report: false,
  checks: { pluginTimings: false },
  outputOptions: { entryFileNames: "console.js" },
});
