// Which test files there are, and which of them run on every Node version.
import { globSync } from "node:fs";
import { join, relative, resolve } from "node:path";

/** Areas that the Node version does not touch, that would only repeat themselves, or whose subject comes in an image with its Node: they run on the pinned one alone. */
const ONE_RUNTIME = [
  "test/bench/",
  "test/cli/dev.test.ts",
  "test/cli/doctor.test.ts",
  "test/cluster/",
  "test/console/",
  "test/docs/",
  "test/e2e/",
  "test/examples/",
  "test/exchange/previous.test.ts",
  "test/exchange/rabbitmq",
  "test/exchange/redis",
  "test/faults/",
  "test/helm/",
  "test/kubernetes/",
  "test/operator/",
  "test/rebalance/nodes.test.ts",
  "test/redis/",
  "test/repository/",
  "test/sdk-browser/chromium.test.ts",
  "test/sdk-browser/package.test.ts",
  "test/sdk-browser/react.test.ts",
  "test/sdk-browser/readme.test.ts",
  "test/sdk-browser/scenarios.test.ts",
  "test/sdk-node/package.test.ts",
  "test/sdk-node/readme.test.ts",
  "test/store/redis",
];

/** Areas with a command of their own: they run when they are named. */
const ON_REQUEST = ["test/cluster/"];

/** Every test file, or those at or below `paths`, by name. Throws when a path holds none. */
export function findTests(root: string, paths: readonly string[]): string[] {
  const all = globSync("test/**/*.test.ts", { cwd: root, exclude: (path) => path.endsWith("node_modules") }).sort();
  const wanted = paths.map((path) => relative(root, resolve(root, path)));
  for (const path of wanted) if (!all.some((file) => isIn(file, path))) throw new Error(`${join(root, path)}: there is no test file here`);
  if (wanted.length === 0) return all.filter((file) => !isOnRequest(file));
  return all.filter((file) => wanted.some((path) => isIn(file, path)));
}

/** Whether the file runs on every Node version. */
export function onEveryRuntime(file: string): boolean {
  return !ONE_RUNTIME.some((area) => file.startsWith(area));
}

/** Whether the file runs only when it, or a folder above it, is named. */
export function isOnRequest(file: string): boolean {
  return ON_REQUEST.some((area) => file.startsWith(area));
}

function isIn(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}
