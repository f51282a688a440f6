// `npm run test:cluster`: makes what a cluster needs, which takes minutes when it is not there yet, then runs the tests of this folder, or those that are named. The last line is the total.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import { findTests } from "../setup/files.ts";
import { kubernetesTools } from "../setup/kubernetes.ts";
import { provideSystem } from "../setup/system.ts";
import { pauseImage, rabbitmqImage, redisImage, serverImage } from "./images.ts";
import { requireRoot } from "./machine.ts";
import { CLUSTER_NEEDS } from "./packages.ts";
import { kubernetesProgram, requireGo } from "./programs.ts";

const ROOT = join(import.meta.dirname, "../..");
const AREA = "test/cluster";

process.exitCode = await main();

async function main(): Promise<number> {
  if (process.env["XLVEIN_CI_NO_CLUSTER"] === "1") {
    console.log(`XLVEIN_CI_NO_CLUSTER=1: ${findTests(ROOT, [AREA]).length} files of tests on a cluster are left out\n\n0 passed, 0 failed`);
    return 0;
  }
  // Where Debian keeps the programs of root, and Go's own installation its: not on everybody's path.
  process.env["PATH"] = [process.env["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/go/bin"].filter(Boolean).join(delimiter);
  try {
    await prepare();
  } catch (error) {
    console.log(`${(error as Error).message}\nWhere that cannot be had, XLVEIN_CI_NO_CLUSTER=1 leaves the cluster tests out.\n\n0 passed, 1 failed`);
    return 1;
  }
  const paths = process.argv.slice(2);
  const child = spawn(process.execPath, [join(ROOT, "test/run.ts"), ...(paths.length > 0 ? paths : [AREA])], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** Everything that is kept for the next time. */
async function prepare(): Promise<void> {
  requireRoot();
  requireGo();
  await provideSystem(CLUSTER_NEEDS);
  // Some tests start the command as it is built.
  await step("Build", build);
  await step("Kubernetes tools", kubernetesTools);
  await step("Kubernetes", kubernetesProgram);
  await step("Images", async () => {
    for (const image of [pauseImage, serverImage, redisImage, rabbitmqImage]) await image();
  });
}

async function build(): Promise<void> {
  const { status } = spawnSync("npm", ["run", "--silent", "build"], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) throw new Error("The build failed; its messages are above");
}

async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  console.log(`${name}: ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
