// Where a run was made, and with what.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const PACKAGES = ["ws", "ioredis", "socket.io", "@socket.io/redis-adapter"];

/** Names and values, in the order in which they are shown. */
export type Machine = Readonly<Record<string, string>>;

/** Describes this machine; what cannot be found out is "unknown". */
export function describeMachine(now = new Date()): Machine {
  return {
    date: now.toISOString().slice(0, 16).replace("T", " "),
    commit: commit(),
    processor: `${availableParallelism()} × ${cpus()[0]?.model ?? arch()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    "load before": (loadavg()[0] ?? 0).toFixed(1),
    "Node.js": process.versions.node,
    ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    Redis: /v=(\S+)/.exec(output("redis-server", "--version"))?.[1] ?? "unknown",
  };
}

function commit(): string {
  const hash = output("git", "rev-parse", "--short=12", "HEAD").trim();
  if (hash === "") return "unknown";
  return output("git", "status", "--porcelain", "--untracked-files=no") === "" ? hash : `${hash} and changes on top of it`;
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
}

/** Empty when the program is missing or fails. */
function output(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
