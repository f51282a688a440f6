// Bundles the whole command for the image: our own code in a few files, its packages beside it, the Kubernetes client inside.
import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { "cli/main": "src/cli/main.ts" },
  format: ["esm"],
  platform: "node",
  target: "node22",
  outDir: "dist/bundle",
  fixedExtension: false,
  dts: false,
  sourcemap: false,
  // Names stay, and lines: without maps a stack trace must still be worth reading.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
  // What is no dependency is no package of the image, and goes in.
  deps: { onlyBundle: false },
  // It looks for package.json two folders up.
  outputOptions: { codeSplitting: { groups: [{ name: "cli/version", test: /src.cli.version\.ts$/ }] } },
  report: false,
  checks: { pluginTimings: false },
});
