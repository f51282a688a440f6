#!/usr/bin/env node
// Starts the command line; an older Node runs it again under the runtime that npm installed with it. Parsed by old Nodes: plain syntax only.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = [22, 19];
/** Tells the second run that it is one; removed before anything reads the environment. */
const LAUNCHED = "XLVEIN_LAUNCHED";
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];
const self = fileURLToPath(import.meta.url);

function isNewEnough() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

/** The pinned runtime in the nearest node_modules, from this file upward; undefined where none is installed. */
function findRuntime() {
  if (process.platform !== "linux") return undefined;
  for (let dir = dirname(self); ; dir = dirname(dir)) {
    const runtime = join(dir, "node_modules", `node-linux-${process.arch}`, "bin", "node");
    if (existsSync(runtime)) return runtime;
    if (dir === dirname(dir)) return undefined;
  }
}

function fail(message) {
  process.stderr.write(`xlvein: ${message}\n`);
  process.exit(1);
}

function failOnVersion() {
  fail(`Node.js ${NEEDED.join(".")} or newer is needed, this is ${process.versions.node}`);
}

function runUnder(runtime) {
  const child = spawn(runtime, process.execArgv.concat(self, process.argv.slice(2)), {
    // A process group of its own: Ctrl-C, or a signal to this whole group, reaches it once, from here.
    detached: true,
    // The channel carries nothing; its end tells the child that this process is gone.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: Object.assign({}, process.env, { [LAUNCHED]: "1" }),
  });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.on("error", failOnVersion);
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of FORWARDED) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** Ends with the process that launched this one, even when that was killed without a chance to say so. */
function endWithLauncher() {
  delete process.env[LAUNCHED];
  if (!process.connected) process.exit(1);
  process.on("disconnect", () => process.exit(1));
  process.channel.unref();
}

function start() {
  if (process.env[LAUNCHED] !== undefined) endWithLauncher();
  if (!existsSync(join(dirname(self), "..", "dist", "cli", "main.js"))) fail("it is not built yet: run `npm run build`");
  import("../dist/cli/main.js").then((module) => module.main());
}

if (isNewEnough()) start();
else {
  const runtime = process.env[LAUNCHED] === undefined ? findRuntime() : undefined;
  if (runtime === undefined) failOnVersion();
  runUnder(runtime);
}
