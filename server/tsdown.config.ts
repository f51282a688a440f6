// Builds what `tsc` does not: the console page's script, and the operator in one file with the Kubernetes client inside.
import { defineConfig } from "tsdown";

const shared = { dts: false, minify: true, sourcemap: false, report: false, checks: { pluginTimings: false } } as const;

export default defineConfig([
  {
    // One file, as every browser of the last years reads it.
    ...shared,
    entry: { console: "console/main.ts" },
    format: ["iife"],
    platform: "browser",
    target: "es2022",
    tsconfig: "console/tsconfig.json",
    outDir: "dist/assets/console",
    outputOptions: { entryFileNames: "console.js" },
  },
  {
    // The 70 MB of packages that the client comes with stay out of what is installed. `tsc` has written the folder: the entry alone is replaced.
    ...shared,
    entry: { entry: "src/operator/entry.ts" },
    format: ["esm"],
    platform: "node",
    target: "node22",
    outDir: "dist/operator",
    clean: false,
    fixedExtension: false,
    deps: { alwaysBundle: [/./], onlyBundle: false },
    outputOptions: { codeSplitting: false },
  },
]);
