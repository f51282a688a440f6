// Renders the chart with the real helm, and runs promtool.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseAllDocuments } from "yaml";
import { kubernetesTools } from "../setup/kubernetes.ts";

export const ROOT = join(import.meta.dirname, "../..");
export const CHART = join(ROOT, "helm/xlvein");
/** The oldest Kubernetes that the chart is for, and the newest it is tried with. */
export const VERSIONS = ["1.27.0", "1.37.0"];

/** Any JSON: what Kubernetes' objects are made of. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A rendered object, as far as every kind has the same fields. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // The fields of each kind differ; its tests name those that they read, and objects.test.ts checks all of them against the kind's schema.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the kind's
  readonly [field: string]: any;
}

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What to render. */
export interface RenderOptions {
  /** Of `ci/`, without `-values.yaml`. */
  readonly ci?: string;
  /** Laid over it. */
  readonly values?: object;
  /** Kubernetes; the newest by default. */
  readonly kube?: string;
  readonly release?: string;
  readonly namespace?: string;
}

/** The names of the examples in `ci/`. */
export const examples: readonly string[] = readdirSync(join(CHART, "ci")).map((file) => file.replace(/-values\.yaml$/, ""));

/** Runs a program to its end. */
export async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const closed = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Runs helm. It reads nothing of the machine's configuration. */
export async function helm(...args: readonly string[]): Promise<Ended> {
  const { helm: program } = await kubernetesTools();
  return withFolder((folder) =>
    run(program, args, { HOME: folder, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder, KUBECONFIG: "" }),
  );
}

/** What `helm template` prints, or its refusal. */
export async function template({ ci, values, kube = VERSIONS.at(-1) ?? "", release = "xlvein", namespace = "push" }: RenderOptions = {}): Promise<Ended> {
  return withFolder(async (folder) => {
    const file = join(folder, "values.json");
    await writeFile(file, JSON.stringify(values ?? {}));
    const example = ci === undefined ? [] : ["-f", join(CHART, "ci", `${ci}-values.yaml`)];
    return helm("template", release, CHART, "--namespace", namespace, "--kube-version", kube, ...example, "-f", file);
  });
}

/** The rendered objects. Throws helm's message where it refuses. */
export async function render(options: RenderOptions = {}): Promise<KubeObject[]> {
  const { code, stdout, stderr } = await template(options);
  if (code !== 0) throw new Error(stderr);
  return parseObjects(stdout);
}

/** Renders what must be refused, and answers why. */
export async function refusal(values: object, options: RenderOptions = {}): Promise<string> {
  const { code, stderr } = await template({ ...options, values });
  if (code === 0) throw new Error(`helm accepts ${JSON.stringify(values)}`);
  return stderr;
}

/** The objects of a stream of YAML documents. */
export function parseObjects(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml)
    .map((document) => {
      for (const error of document.errors) throw error;
      return document.toJS() as KubeObject | null;
    })
    .filter((object) => object !== null);
}

/** The one object of a kind and name. */
export function find(objects: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind && (name === undefined || object.metadata.name === name));
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`there are ${found.length} objects ${kind} ${name ?? ""}`);
  return first;
}

/** A pod, or what makes pods. */
export interface Workload {
  /** `Deployment xlvein` */
  readonly title: string;
  readonly object: KubeObject;
  readonly labels: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: a PodSpec; objects.test.ts checks it against its schema
  readonly spec: any;
}

/** Everything that runs, hooks and tests included. */
export function workloads(objects: readonly KubeObject[]): Workload[] {
  return objects.flatMap((object) => {
    const title = `${object.kind} ${object.metadata.name}`;
    if (object.kind === "Pod") return [{ title, object, labels: object.metadata.labels ?? {}, spec: object["spec"] }];
    const pod = object["spec"]?.template;
    return pod?.spec?.containers === undefined ? [] : [{ title, object, labels: pod.metadata.labels, spec: pod.spec }];
  });
}

/** Every container of a pod. */
// biome-ignore lint/suspicious/noExplicitAny: a list of containers; objects.test.ts checks them against their schema
export function containers({ spec }: Workload): any[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Whether a selector's labels are among a pod's. */
export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** A file of the chart. */
export function chartFile(path: string): string {
  return readFileSync(join(CHART, path), "utf8");
}

/** Runs promtool on a text, which it is given as a file of that name. */
export function promtool(args: readonly string[], name: string, content: string): Promise<Ended> {
  return withFolder(async (folder) => {
    await writeFile(join(folder, name), content);
    return run("promtool", [...args, join(folder, name)]);
  });
}

/** Gives a folder that is removed afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "xlvein-chart-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `work` answers for each item, a few at a time. */
export async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all([worker(), worker(), worker()]);
  return results;
}
