// Builds dist: ESM, CommonJS and the declarations of both.
import { defineConfig } from "tsdown";

export default defineConfig({
  entry: "src/index.ts",
  format: ["esm", "cjs"],
  platform: "node",
  target: "node20",
  dts: true,
  sourcemap: false,
  // Timings of a slow machine are no warning.
  checks: { pluginTimings: false },
});
