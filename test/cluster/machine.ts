// A machine for one cluster: network, mount and process namespaces of its own. When its first process ends, or the one that made it, all of it is gone.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Place, startProgram } from "./program.ts";

const CGROUPS = "/sys/fs/cgroup";
const PREFIX = "xlvein-test-";

export interface Machine extends Place {
  readonly folder: string;
  /** What Kubernetes calls it: node1, node2. */
  readonly node: string;
  /** For other machines and for pods. */
  readonly address: string;
  /** The addresses of its pods. */
  readonly pods: string;
  /** Its control group, as a path below each hierarchy: what the machine's containers live in. */
  readonly cgroup: string;
  /** Runs a program in it; rejects with what it said when it fails. */
  run(...argv: readonly string[]): Promise<string>;
  /** Lays a cable between the two, as if both were plugged into one switch, and tells each where the other's pods are. */
  connect(other: Machine): Promise<void>;
  /** Pulls that cable: packets are lost and nobody is told. Or plugs it in again. */
  cable(other: Machine, state: "down" | "up"): Promise<void>;
  /** Ends everything in it at once, as a power cut would. */
  stop(): Promise<void>;
  /** The first process of it, as this process sees it. */
  readonly first: number;
}

/** Throws a sentence where this user may not make namespaces. */
export function requireRoot(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) throw new Error("A cluster is made of namespaces and control groups: it needs root on Linux");
}

/** The `number`th machine of a cluster, from 1. `folder` must be absolute; the caller removes it after `stop`. */
export async function createMachine(folder: string, number = 1): Promise<Machine> {
  requireRoot();
  removeStaleGroups();
  const address = `10.88.99.${number}`;
  const pods = `10.88.${number}.0/24`;
  const script = join(import.meta.dirname, "machine.sh");
  const namespaces = ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
  const holder = spawn("setpriv", ["--pdeathsig", "KILL", ...namespaces, script, folder, address], { stdio: ["ignore", "pipe", "pipe"] });
  const errors: string[] = [];
  holder.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  const ended = once(holder, "exit");
  await Promise.race([once(holder.stdout, "data"), ended.then(() => Promise.reject(new Error(`the machine cannot be made: ${errors.join("")}`)))]);
  const first = childOf(holder.pid);
  if (first === undefined) throw new Error("the machine's first process is not there");
  const enter = ["nsenter", "--target", String(first), "--net", "--mount", "--pid", "--"];
  const cgroup = `${PREFIX}${process.pid}-${number}`;
  await createGroup(cgroup);
  const outside = (...argv: readonly string[]) => promisify(execFile)("nsenter", ["--target", String(first), "--net", "--", ...argv]);
  return {
    folder,
    node: `node${number}`,
    address,
    pods,
    cgroup,
    first,
    start: (name, argv, env) => startProgram({ name, folder, argv: [...enter, ...argv], ...(env && { env }), target: (child) => childOf(child.pid) }),
    async run(...argv) {
      const [command = "", ...args] = [...enter, ...argv];
      try {
        return (await promisify(execFile)(command, args, { maxBuffer: 64 << 20 })).stdout;
      } catch (error) {
        const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
        throw new Error(`${argv.join(" ")}: ${stderr}${stdout}` || String(error));
      }
    },
    async connect(other) {
      const [here, there] = [`to-${other.node}`, `to-node${number}`];
      await outside("ip", "link", "add", here, "type", "veth", "peer", "name", there);
      await outside("ip", "link", "set", there, "netns", String(other.first));
      await outside("ip", "link", "set", here, "master", "node0", "up");
      await other.run("ip", "link", "set", there, "master", "node0", "up");
      await outside("ip", "route", "add", other.pods, "via", other.address);
      await other.run("ip", "route", "add", pods, "via", address);
    },
    async cable(other, state) {
      await outside("ip", "link", "set", `to-${other.node}`, state);
    },
    async stop() {
      if (holder.exitCode !== null || holder.signalCode !== null) return;
      process.kill(first, "SIGKILL");
      await ended;
      removeGroup(cgroup);
    },
  };
}

/** The first child of a process: nsenter and unshare have one, the program that they were asked for. */
function childOf(pid: number | undefined): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children === "" ? undefined : Number(children.split(" ")[0]);
  } catch {
    return undefined;
  }
}

/** The mount points of the control groups: one with version 2, else one for each controller, and maybe one of version 2 beside them. */
function hierarchies(): string[] {
  if (existsSync(join(CGROUPS, "cgroup.controllers"))) return [CGROUPS];
  return readdirSync(CGROUPS)
    .map((name) => join(CGROUPS, name))
    .filter((path) => existsSync(join(path, "cgroup.procs")));
}

async function createGroup(name: string): Promise<void> {
  for (const hierarchy of hierarchies()) {
    await mkdir(join(hierarchy, name), { recursive: true });
    // Version 1 gives a new group no processor and no memory node.
    for (const file of ["cpuset.cpus", "cpuset.mems"])
      if (existsSync(join(hierarchy, name, file)) && hierarchy !== CGROUPS) await writeFile(join(hierarchy, name, file), await readFile(join(hierarchy, file)));
  }
}

/** Its processes have ended: what is left are empty folders. */
function removeGroup(name: string): void {
  for (const hierarchy of hierarchies()) removeBranch(join(hierarchy, name));
}

function removeBranch(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeBranch(join(path, entry.name));
  rmdirSync(path);
}

/** Those of a process that was killed before it could remove them. */
function removeStaleGroups(): void {
  const names = new Set(hierarchies().flatMap((hierarchy) => readdirSync(hierarchy).filter((name) => name.startsWith(PREFIX))));
  for (const name of names) if (!existsSync(`/proc/${Number.parseInt(name.slice(PREFIX.length), 10)}`)) removeGroup(name);
}

/** Waits until the machine's programs have made `file`. */
export async function appears(file: string, withinMs: number, alive: () => void): Promise<void> {
  const [folder, name] = [join(file, ".."), file.slice(file.lastIndexOf("/") + 1)];
  for (const startMs = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    if ((await readdir(folder)).includes(name)) return;
    alive();
    if (performance.now() - startMs > withinMs) throw new Error(`${file}: not there after ${withinMs} ms`);
  }
}
