// Kubernetes' own programs, compiled on first use from the Go modules that kubernetes/go.mod and go.sum pin.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { alone, CACHE, fingerprint } from "./cache.ts";

const SOURCE = join(import.meta.dirname, "kubernetes");
const FILES = ["go.mod", "go.sum", "main.go"].map((file) => join(SOURCE, file));
const GO = "1.26";

/** "v1.36.3": what the binary says it is. */
export function kubernetesVersion(): string {
  const version = /^\s*k8s\.io\/kubernetes (v\S+)$/m.exec(readFileSync(join(SOURCE, "go.mod"), "utf8"))?.[1];
  if (version === undefined) throw new Error("test/cluster/kubernetes/go.mod requires no k8s.io/kubernetes");
  return version;
}

/** Path of the one binary that holds kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kube-proxy; its first argument says which. Eight minutes on two cores when it is not there yet. */
export async function kubernetesProgram(): Promise<string> {
  const folder = join(CACHE, `kubernetes-${kubernetesVersion()}-${fingerprint(FILES)}`);
  const program = join(folder, "kubernetes");
  if (!existsSync(program)) await alone("kubernetes", () => existsSync(program) || compile(folder, program));
  return program;
}

/** Throws a sentence that tells what is missing. */
export function requireGo(): void {
  const { stdout, error } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8", env: { ...process.env, GOTOOLCHAIN: "local" }, cwd: SOURCE });
  const found = error === undefined ? stdout.trim() : "none";
  const [major = 0, minor = 0] = found.replace(/^go/, "").split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = GO.split(".").map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new Error(
    `Kubernetes ${kubernetesVersion()} is compiled for the cluster tests and needs Go ${GO} or newer on the PATH or in /usr/local/go; found: ${found}`,
  );
}

function compile(folder: string, program: string): void {
  requireGo();
  console.log(`Compiling Kubernetes ${kubernetesVersion()}: about ${Math.ceil(16 / availableParallelism())} minutes, once`);
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const { status } = spawnSync(
    "go",
    ["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", linkerFlags(), "-o", join(unfinished, "kubernetes"), "."],
    {
      cwd: SOURCE,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local" },
    },
  );
  if (status !== 0) throw new Error("Kubernetes could not be compiled; Go's messages are above");
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  if (!existsSync(program)) throw new Error(`${program}: not made`);
}

/** Without them it would call itself v0.0.0, and helm would refuse charts that name a version. */
function linkerFlags(): string {
  const version = kubernetesVersion();
  const [major, minor] = version.slice(1).split(".");
  const told = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return ["-s -w", ...Object.entries(told).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(" ");
}
