// What the tests need from the operating system: found, or installed on Debian when root runs them.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program or library, and where it comes from. */
export interface Need {
  /** The Debian package. */
  readonly package: string;
  readonly reason: string;
  readonly present: () => boolean;
}

/** To add a need, add a line. */
const needs: readonly Need[] = [
  { package: "chromium", reason: "the browser tests", present: () => onPath("chromium") },
  { package: "prometheus", reason: "promtool, which checks the metrics", present: () => onPath("promtool") },
  { package: "libatomic1", reason: "Node 26", present: () => sharedLibrary("libatomic.so.1") },
  { package: "curl", reason: "the examples of the README", present: () => onPath("curl") },
  { package: "openssl", reason: "certificates for the TLS tests", present: () => onPath("openssl") },
  { package: "redis-server", reason: "the tests of several nodes", present: () => existsSync("/usr/bin/redis-server") },
  { package: "rabbitmq-server", reason: "the tests of several nodes", present: () => existsSync("/usr/lib/rabbitmq/bin/rabbitmq-server") },
  { package: "unzip", reason: "helm and kubectl, which come in a zip archive", present: () => onPath("unzip") },
  // Debian's sbin is not on everybody's path.
  { package: "nginx-light", reason: "the balancer of the deploy examples", present: () => existsSync("/usr/sbin/nginx") },
];

/** Tells Debian's installation scripts not to start any daemon (exit status 101: forbidden by policy). */
const POLICY = "/usr/sbin/policy-rc.d";

/** Installs whatever is missing of what all tests need, and `more`; or throws an error that names it and the command that would install it. */
export async function provideSystem(more: readonly Need[] = []): Promise<void> {
  const missing = [...needs, ...more].filter((need) => !need.present());
  if (missing.length === 0) return;
  const names = missing.map((need) => need.package);
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !onPath("apt-get")) throw new Error(advice(missing));
  console.log(`Installing ${names.join(", ")}`);
  await withoutDaemons(() => install(names));
  const still = missing.filter((need) => !need.present());
  if (still.length > 0) throw new Error(advice(still));
}

function advice(missing: readonly Need[]): string {
  const list = missing.map((need) => `  ${need.package}: for ${need.reason}`).join("\n");
  return `The tests need what is not installed here:\n${list}\nOn Debian: sudo apt-get install -y --no-install-recommends ${missing.map((need) => need.package).join(" ")}`;
}

/** The package lists may be missing or too old: then they are fetched and the installation is tried once more. */
async function install(names: readonly string[]): Promise<void> {
  const options = ["-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"];
  const packages = ["install", "-y", "--no-install-recommends", ...names];
  if (await apt([...options, ...packages])) return;
  if (!(await apt([...options, "update"])) || !(await apt([...options, ...packages])))
    throw new Error(`apt-get could not install ${names.join(", ")}; its messages are above`);
}

/** Resolves to whether apt-get succeeded. */
function apt(args: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code === 0));
  });
}

/** A policy that stands already stays; ours goes again, also when the tests are interrupted. */
async function withoutDaemons(work: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return work();
  const remove = (): void => rmSync(POLICY, { force: true });
  writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  process.once("exit", remove);
  try {
    await work();
  } finally {
    process.off("exit", remove);
    remove();
  }
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Debian keeps shared libraries in /usr/lib and /usr/lib/<architecture>. */
function sharedLibrary(file: string): boolean {
  if (process.platform !== "linux") return true;
  const folders = ["/lib64", "/usr/lib64", "/usr/lib", ...readdirSync("/usr/lib").map((name) => `/usr/lib/${name}`)];
  return folders.some((folder) => existsSync(join(folder, file)));
}
