// The Node versions that the tests run on: the pinned one of the root, and the others, installed from a lock file of their own.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** One Node executable. */
export interface Runtime {
  /** "24.21.0" */
  readonly version: string;
  /** Its path. */
  readonly path: string;
}

const ROOT = join(import.meta.dirname, "../..");
const FOLDER = join(import.meta.dirname, "runtimes");
const PLATFORM = `${process.platform}-${process.arch}`;

/** The pinned runtime where the platform has one, else the Node that runs this. */
export function mainRuntime(): Runtime {
  const path = join(ROOT, "node_modules", `node-${PLATFORM}`, "bin/node");
  return describe(existsSync(path) ? path : process.execPath);
}

/** The other runtimes, installed on first use. Throws where the platform has none, or when the registry cannot be reached. */
export function otherRuntimes(): Runtime[] {
  const { optionalDependencies } = readJson(join(FOLDER, "package.json"));
  const wanted = Object.entries(optionalDependencies ?? {}).filter(([name]) => name.endsWith(`-${PLATFORM}`));
  if (wanted.length === 0) throw new Error(`There are no other Node versions for ${PLATFORM}: run the tests on this one alone with \`npm test -- --node=24\``);
  const current = ([name, range]: [string, string]): boolean => range.endsWith(`@${installed(name)}`);
  if (!wanted.every(current)) install();
  return wanted.map(([name]) => describe(join(FOLDER, "node_modules", name, "bin/node")));
}

function install(): void {
  console.log("Installing the other Node versions");
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--silent", "--prefix", FOLDER], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error("The other Node versions could not be installed; npm's messages are above");
}

function installed(name: string): string | undefined {
  const path = join(FOLDER, "node_modules", name, "package.json");
  return existsSync(path) ? readJson(path).version : undefined;
}

function readJson(path: string): { version?: string; optionalDependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Asks the executable itself, so that one that cannot start is found before any test runs. */
function describe(path: string): Runtime {
  const { status, stdout, stderr, error } = spawnSync(path, ["--version"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${path} does not start: ${error?.message ?? stderr}`);
  return { path, version: stdout.trim().slice(1) };
}

/** The environment for a program that shall use `runtime`: first on the PATH, and nothing that would configure a server or a test runner by accident. */
export function environment(runtime: Runtime): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !/^(XLVEIN_.*|NODE_TEST_CONTEXT|NODE_OPTIONS|PORT|REDIS_URL|RABBITMQ_URL)$/.test(name));
  return { ...Object.fromEntries(rest), PATH: `${dirname(runtime.path)}:${process.env.PATH ?? ""}` };
}
