// The images of a test cluster, made by buildah without a registry: the server's from the repository's own Dockerfile, others from Debian's packages under the names that charts use.
import { spawn } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryFiles } from "../repository/sources.ts";
import { mainRuntime } from "../setup/runtimes.ts";
import { alone, CACHE, fingerprint } from "./cache.ts";
import { PAUSE_IMAGE } from "./node.ts";

const ROOT = join(import.meta.dirname, "../..");
const RECIPES = join(import.meta.dirname, "images");
const PAUSE_SOURCE = join(import.meta.dirname, "kubernetes");
const FOLDER = join(CACHE, "images");

/** Debian's release that Node's slim image stands on. */
const SUITE = "bookworm";
const PACKAGES = "ca-certificates,libatomic1";
const DEBIAN = `localhost/xlvein-test/debian:${SUITE}`;

interface Recipe {
  /** The file's name in images/, or nothing for the repository's Dockerfile. */
  readonly file: string;
  /** The image's whole name. */
  readonly name: string;
  /** What the image depends on: the archive is made anew when it changes. */
  readonly key: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Puts what the recipe copies into a folder. */
  readonly context?: (folder: string) => unknown;
}

/** Path of an OCI archive of the container that every pod has. */
export function pauseImage(): Promise<string> {
  const sources = ["go.mod", "pause/main.go"].map((file) => join(PAUSE_SOURCE, file));
  return archive("pause", () => ({
    file: "pause.Containerfile",
    name: PAUSE_IMAGE,
    key: fingerprint([recipe("pause"), ...sources]),
    context: (folder) =>
      run("go", ["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w", "-o", join(folder, "pause"), "./pause"], {
        cwd: PAUSE_SOURCE,
        env: { CGO_ENABLED: "0", GOTOOLCHAIN: "local" },
      }),
  }));
}

/** Path of an OCI archive of the chart's image of Valkey, with Debian's Redis in it. */
export function redisImage(): Promise<string> {
  return brokerImage("redis", /^redis:\n(?:.*\n)*? {4}image:\n([\s\S]*?pullPolicy)/m);
}

/** Path of an OCI archive of the chart's image of RabbitMQ, with Debian's in it. */
export function rabbitmqImage(): Promise<string> {
  return brokerImage("rabbitmq", /^rabbitmq:\n(?:.*\n)*? {4}image:\n([\s\S]*?pullPolicy)/m);
}

function brokerImage(title: string, section: RegExp): Promise<string> {
  const { registry, repository, tag } = imageOfChart(section);
  const name = `${registry}/${repository}:${tag}`;
  return archive(title, async () => ({ file: `${title}.Containerfile`, name, key: fingerprint([recipe(title)], [await debian(), name]), args: { DEBIAN } }));
}

/** Path of an OCI archive of the server's image, built from the Dockerfile and the files of this checkout. */
export function serverImage(): Promise<string> {
  return archive("server", async () => ({
    file: "",
    name: serverName(),
    key: fingerprint(contextFiles(), [await node(), serverName()]),
    args: { VERSION: chartVersion() },
  }));
}

/** The image that the chart installs. */
function serverName(): string {
  const { registry, repository } = imageOfChart(/^image:\n([\s\S]*?pullPolicy)/m);
  return `${registry}/${repository}:${chartVersion()}`;
}

function chartVersion(): string {
  return /^appVersion: "?([^"\n]+)/m.exec(readFileSync(join(ROOT, "helm/xlvein/Chart.yaml"), "utf8"))?.[1] ?? "";
}

function storage(): string[] {
  return ["--root", join(FOLDER, "storage"), "--runroot", join(FOLDER, "run"), "--storage-driver", "overlay"];
}

/** Mounts the server's image, runs a shell script with its root as `$root`, and answers what that prints. */
export async function insideServerImage(script: string): Promise<string> {
  await serverImage();
  return alone("images", async () => {
    const container = (await buildah("from", "--pull-never", serverName())).trim();
    const inside = `root=$(buildah ${storage().join(" ")} mount ${container}); ${script}`;
    try {
      return await run("unshare", ["--mount", "--propagation", "private", "sh", "-euc", inside]);
    } finally {
      await buildah("rm", container);
    }
  });
}

/** What the image says about itself: user, command, labels. */
export async function serverImageConfig(): Promise<{
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}> {
  await serverImage();
  const { OCIv1 } = JSON.parse(await buildah("inspect", "--type", "image", serverName()));
  return OCIv1.config;
}

/** Runs buildah with a storage of the tests' own, and what it mounts seen by nobody else. */
export function buildah(...args: readonly string[]): Promise<string> {
  mkdirSync(join(FOLDER, "tmp"), { recursive: true });
  return run("unshare", ["--mount", "--propagation", "private", "buildah", ...storage(), ...args], {
    env: { BUILDAH_ISOLATION: "chroot", TMPDIR: join(FOLDER, "tmp") },
  });
}

/** Makes the archive unless it is there; older ones of the name go. */
async function archive(title: string, describe: () => Recipe | Promise<Recipe>): Promise<string> {
  const made = async (): Promise<{ recipe: Recipe; path: string }> => {
    const recipe = await describe();
    return { recipe, path: join(FOLDER, `${title}-${recipe.key}.tar`) };
  };
  const { recipe, path } = await made();
  if (!existsSync(path))
    await alone("images", async () => {
      if (existsSync(path)) return;
      await build(title, recipe);
      const unfinished = `${path}.new`;
      rmSync(unfinished, { force: true });
      await buildah("push", recipe.name, `oci-archive:${unfinished}:${recipe.name}`);
      for (const old of globSync(`${title}-*.tar`, { cwd: FOLDER })) rmSync(join(FOLDER, old));
      renameSync(unfinished, path);
    });
  return path;
}

async function build(title: string, { file, name, args = {}, context }: Recipe): Promise<void> {
  console.log(`Building the image ${name}`);
  // What a build that was stopped has left: it would keep its layers.
  await buildah("rm", "--all");
  const folder = join(FOLDER, "context");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  try {
    await context?.(folder);
    const settings = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
    const source = file === "" ? [...(await npmSettings(folder)), ROOT] : ["--file", join(RECIPES, file), folder];
    const make = (tag: string, ...more: readonly string[]) => buildah("build", "--layers", "--pull-never", ...settings, ...more, "--tag", tag, ...source);
    // With a name, a stage and its layers are there the next time; what has none goes.
    if (file === "") for (const stage of stages()) await make(`localhost/xlvein-test/${title}-${stage}`, "--target", stage);
    await make(name);
    await buildah("rmi", "--prune");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The named stages of the repository's Dockerfile. */
function stages(): string[] {
  return [...readFileSync(join(ROOT, "Dockerfile"), "utf8").matchAll(/^FROM .* AS (\w+)$/gm)].map(([, name = ""]) => name);
}

/** npm inside the build asks the registry that it asks outside, and trusts whom it trusts outside. */
async function npmSettings(folder: string): Promise<string[]> {
  const setting = async (key: string): Promise<string> => (await run("npm", ["config", "get", key], { cwd: folder })).trim().replace(/^(null|undefined)$/, "");
  const trusted = (await setting("cafile")) || process.env["NODE_EXTRA_CA_CERTS"];
  const settings = join(folder, "npmrc");
  writeFileSync(settings, `registry=${await setting("registry")}\n${trusted ? "cafile=/usr/local/etc/trusted.crt\n" : ""}`);
  const volumes = [`${settings}:/usr/local/etc/npmrc:ro`, ...(trusted ? [`${realpathSync(trusted)}:/usr/local/etc/trusted.crt:ro`] : [])];
  return volumes.flatMap((volume) => ["--volume", volume]);
}

/** The image of a minimal Debian; answers what it depends on. */
async function debian(): Promise<string> {
  const key = fingerprint([recipe("debian")], [SUITE, PACKAGES]);
  await image("debian", {
    file: "debian.Containerfile",
    name: DEBIAN,
    key,
    async context(folder) {
      const root = join(folder, "root");
      await run("debootstrap", ["--variant=minbase", `--include=${PACKAGES}`, SUITE, root]);
      for (const rest of ["var/cache/apt/archives", "var/lib/apt/lists"]) rmSync(join(root, rest), { recursive: true, force: true });
      await run("tar", ["--numeric-owner", "-C", root, "-cf", join(folder, "debian.tar"), "."]);
      rmSync(root, { recursive: true, force: true });
    },
  });
  return key;
}

/** The image that the Dockerfile starts from; answers what it depends on. */
async function node(): Promise<string> {
  const name = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(join(ROOT, "Dockerfile"), "utf8"))?.[1];
  if (name === undefined) throw new Error("The Dockerfile names no NODE_IMAGE");
  const { version, path } = mainRuntime();
  if (!name.startsWith(`node:${version}-${SUITE}`)) throw new Error(`The Dockerfile starts from ${name}, the tests from Node ${version} on ${SUITE}`);
  const npm = join(dirname(realpathSync(await which("npm"))), "..");
  const key = fingerprint([recipe("node"), join(npm, "package.json")], [await debian(), version]);
  await image("node", {
    file: "node.Containerfile",
    name: `docker.io/library/${name}`,
    key,
    args: { DEBIAN, NODE_VERSION: version },
    context(folder) {
      cpSync(path, join(folder, "node"), { dereference: true });
      cpSync(npm, join(folder, "npm"), { recursive: true, dereference: true });
    },
  });
  return key;
}

/** Builds an image that others start from, unless it is in the storage already. */
async function image(title: string, { key, ...recipe }: Recipe): Promise<void> {
  const mark = join(FOLDER, `${title}-${key}.built`);
  if (existsSync(mark)) return;
  await alone("images", async () => {
    if (existsSync(mark)) return;
    await build(title, { key, ...recipe });
    for (const old of globSync(`${title}-*.built`, { cwd: FOLDER })) rmSync(join(FOLDER, old));
    writeFileSync(mark, "");
  });
}

/** What of this checkout enters the image, and the Dockerfile itself. */
function contextFiles(): string[] {
  const kept = readFileSync(join(ROOT, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  const entering = repositoryFiles().filter((file) => kept.some((path) => file === path || file.startsWith(`${path}/`)));
  return ["Dockerfile", ".dockerignore", ...entering].map((file) => join(ROOT, file)).filter((file) => existsSync(file));
}

function imageOfChart(section: RegExp): { registry: string; repository: string; tag: string } {
  const text = section.exec(readFileSync(join(ROOT, "helm/xlvein/values.yaml"), "utf8"))?.[1] ?? "";
  const field = (name: string): string => new RegExp(`^\\s*${name}: "?([^"\\n]*)`, "m").exec(text)?.[1] ?? "";
  return { registry: field("registry"), repository: field("repository"), tag: field("tag") };
}

function recipe(name: string): string {
  return join(RECIPES, `${name}.Containerfile`);
}

async function which(program: string): Promise<string> {
  return (await run("sh", ["-c", `command -v ${program}`])).trim();
}

/** Rejects with the end of what the program said. */
function run(program: string, args: readonly string[], { cwd, env }: { cwd?: string; env?: Readonly<Record<string, string>> } = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, args, { ...(cwd && { cwd }), env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const [output, all]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => void output.push(text));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => void all.push(text));
  child.once("error", reject);
  child.once("close", (code) => {
    if (code === 0) resolve(output.join(""));
    else reject(new Error(`${program} ${args.join(" ")} ended with ${code}:\n${all.join("").slice(-4_000)}`));
  });
  return promise;
}
