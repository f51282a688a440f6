// Carries out the Dockerfile without an engine: each stage becomes a folder, COPY copies, RUN runs in it.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { environment, mainRuntime } from "../setup/runtimes.ts";
import { readDockerfile, type Stage } from "./dockerfile.ts";
import { ROOT, repositoryFiles } from "./sources.ts";

/** Builds every stage below `folder`; answers the folder that stands for the last stage's root. */
export function buildImage(folder: string): string {
  const context = join(folder, "context");
  for (const file of contextFiles()) copy(join(ROOT, file), join(context, file));
  const roots = new Map<string, string>();
  for (const stage of readDockerfile()) {
    const root = join(folder, `stage-${stage.name || "last"}`);
    const base = roots.get(stage.base);
    mkdirSync(root);
    if (base !== undefined) copy(base, root);
    build(stage, root, base === undefined ? "/" : "/src", { context, roots });
    roots.set(stage.name, root);
  }
  return roots.get("") ?? "";
}

/** What git has of that which .dockerignore lets through. */
function contextFiles(): string[] {
  const kept = readFileSync(join(ROOT, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"));
  return repositoryFiles().filter((file) => kept.some((line) => file === line.slice(1) || file.startsWith(`${line.slice(1)}/`)));
}

function build(stage: Stage, root: string, start: string, { context, roots }: { context: string; roots: ReadonlyMap<string, string> }): void {
  let workdir = start;
  for (const { name, value } of stage.instructions) {
    if (name === "WORKDIR") {
      workdir = value;
      mkdirSync(join(root, workdir), { recursive: true });
    }
    if (name === "RUN") run(value, join(root, workdir));
    if (name !== "COPY") continue;
    const [, from, paths = ""] = /^(?:--from=(\w+) )?(.*)$/.exec(value) ?? [];
    const parts = paths.split(" ");
    const to = join(root, workdir, parts.at(-1) ?? "");
    for (const source of parts.slice(0, -1)) copyAsDocker(join(from === undefined ? context : (roots.get(from) ?? ""), source), to);
  }
}

/** A folder's contents go into the target; a file goes into a target that ends with a slash, or becomes it. */
function copyAsDocker(source: string, target: string): void {
  copy(source, statSync(source).isFile() && target.endsWith("/") ? join(target, source.slice(source.lastIndexOf("/") + 1)) : target);
}

function copy(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  cpSync(source, target, { recursive: true, verbatimSymlinks: true });
}

function run(script: string, cwd: string): void {
  // The lock file says what is installed; what npm has fetched before need not be asked for again.
  const env = { ...environment(mainRuntime()), npm_config_prefer_offline: "true" };
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script], { cwd, encoding: "utf8", env });
  if (status !== 0) throw new Error(`RUN ${script} ended with ${status}\n${stdout}${stderr}`);
}
