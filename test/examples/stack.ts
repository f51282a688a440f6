// Runs the services of a Compose file as processes of this machine: their commands, their environment, their health checks, in their order.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { freePort } from "../helpers/redis-server.ts";
import { ROOT } from "../repository/sources.ts";
import { type Compose, readCompose, type Service, secretPaths, startOrder } from "./compose.ts";

const run = promisify(execFile);
const XLVEIN = join(ROOT, "server/bin/xlvein.js");
/** Instead of 30: a test waits for the end of a drain. */
const DRAIN_SECONDS = "6";
/** Where the images have what is installed here. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "redis-server": "/usr/bin/redis-server",
  nginx: "/usr/sbin/nginx",
};
/** The port that each image listens on. */
const PORTS: readonly (readonly [RegExp, number])[] = [
  [/^xlvein/, 8090],
  [/^redis/, 6379],
  [/^rabbitmq/, 5672],
  [/^nginx/, 8080],
];

export interface RunningService {
  readonly port: number;
  readonly child: ChildProcess | undefined;
  /** What it has written to its standard output and error. */
  output(): string;
}

export interface Stack {
  readonly compose: Compose;
  /** `http://127.0.0.1:port` of nginx. */
  readonly url: string;
  /** What stands in secrets/applications.json. */
  readonly application: { readonly app_key: string; readonly app_secret: string };
  readonly services: ReadonlyMap<string, RunningService>;
  /** The value of a metric of one node; 0 while it has none. */
  metric(service: string, name: string): Promise<number>;
  /** What nginx has written, to whatever log. */
  nginxLogs(): Promise<{ access: string; error: string }>;
}

/** Starts all services of `examples/NAME`; each is healthy by its own health check before those that wait for it start. Ended with the test. */
export async function startStack(t: Pick<TestContext, "after">, name: string): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-compose-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const examples = join(directory, "examples");
  await cp(join(ROOT, "examples"), examples, { recursive: true });
  await run("sh", [join(examples, "compose-secrets.sh")]);
  const compose = readCompose(join(examples, name));
  const addresses = new Map<string, number>();
  const internal = new Map<string, number>();
  for (const service of Object.keys(compose.services)) {
    addresses.set(service, await freePort());
    internal.set(service, await freePort());
  }

  /** The network: names and ports of the containers become ports of this machine. */
  function route(text: string): string {
    let routed = text;
    for (const [service, port] of addresses)
      routed = routed.replaceAll(new RegExp(`(?<![\\w.-])${service}:${containerPort(service)}\\b`, "g"), `127.0.0.1:${port}`);
    return routed;
  }
  const services = new Map<string, RunningService>();
  for (const service of startOrder(compose)) {
    const place = join(directory, service);
    await mkdir(place);
    const port = addresses.get(service) as number;
    const context: Context = {
      name: service,
      definition: compose.services[service] as Service,
      compose,
      examples,
      place,
      port,
      internalPort: internal.get(service) as number,
      route,
    };
    services.set(service, await start(t, context, (brokerPort) => addresses.set(service, brokerPort)));
  }
  const { applications } = JSON.parse(await readFile(join(examples, "secrets/applications.json"), "utf8")) as { applications: Stack["application"][] };
  return {
    compose,
    url: `http://127.0.0.1:${addresses.get("nginx")}`,
    application: applications[0] as Stack["application"],
    services,
    async metric(service, metric) {
      const text = await (await fetch(`http://127.0.0.1:${internal.get(service)}/metrics`)).text();
      return text.split("\n").reduce((sum, line) => (new RegExp(`^${metric}[{ ]`).test(line) ? sum + Number(line.slice(line.lastIndexOf(" ") + 1)) : sum), 0);
    },
    async nginxLogs() {
      const place = join(directory, "nginx");
      return { access: await readFile(join(place, "access.log"), "utf8"), error: await readFile(join(place, "error.log"), "utf8") };
    },
  };
}

interface Context {
  readonly name: string;
  readonly definition: Service;
  readonly compose: Compose;
  readonly examples: string;
  /** The service's own directory, for all that it writes. */
  readonly place: string;
  readonly port: number;
  readonly internalPort: number;
  readonly route: (text: string) => string;
}

function containerPort(service: string): number {
  return PORTS.find(([pattern]) => pattern.test(service))?.[1] ?? 0;
}

async function start(t: Pick<TestContext, "after">, context: Context, moved: (port: number) => void): Promise<RunningService> {
  const { name, definition } = context;
  const paths = await mountSecrets(context);
  const inContainer = (text: string) => [...paths].reduce((all, [inside, outside]) => all.replaceAll(inside, outside), context.route(text));
  if (name === "rabbitmq") {
    const [config = ""] = [...paths].find(([inside]) => inside.startsWith("/etc/rabbitmq/conf.d/"))?.slice(1) ?? [];
    const broker = await startRabbitmq(t, await readFile(config, "utf8"));
    moved(broker.port);
    return { port: broker.port, child: undefined, output: () => "" };
  }
  const { program, args, env } = commandOf(context, inContainer);
  if (name === "nginx") await renderNginx(context);
  const log = join(context.place, "output.log");
  const fd = openSync(log, "w");
  const child = spawn(program, args, { cwd: context.place, env, stdio: ["ignore", fd, fd] });
  closeSync(fd);
  const output = () => readFileSync(log, "utf8");
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    // nginx's master ends its workers.
    child.kill(name === "nginx" ? "SIGTERM" : "SIGKILL");
    await gone;
  });
  await healthy(name, child, output, () => check(definition.healthcheck.test, context, inContainer, env));
  return { port: context.port, child, output };
}

/** The secrets as files of this machine, with this machine's addresses in them: from the path in the container to the path here. */
async function mountSecrets({ definition, compose, examples, place, route }: Context): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const [secret, inside] of secretPaths(definition)) {
    const file = compose.secrets[secret]?.file ?? "";
    const outside = join(place, secret);
    await writeFile(outside, route(await readFile(join(examples, file), "utf8")));
    paths.set(inside, outside);
  }
  return paths;
}

function commandOf({ name, definition, place, port, internalPort }: Context, inContainer: (text: string) => string) {
  const [first = "", ...rest] = definition.command.map(inContainer);
  const path = { PATH: process.env["PATH"] };
  if (definition.build !== undefined) {
    const environment = Object.fromEntries(
      Object.entries(definition.environment ?? {}).map(([key, value]) => [key, inContainer(value).replace("0.0.0.0:8090", `127.0.0.1:${port}`)]),
    );
    return {
      program: process.execPath,
      args: [XLVEIN, first, ...rest],
      env: { ...path, ...environment, XLVEIN_INTERNAL_PORT: String(internalPort), XLVEIN_DRAIN_WINDOW_SECONDS: DRAIN_SECONDS },
    };
  }
  const program = PROGRAMS[first];
  if (program === undefined) throw new Error(`${name}: the test does not know where ${first} is`);
  if (name === "nginx")
    return {
      program,
      args: [
        "-p",
        place,
        "-c",
        join(place, "nginx.conf"),
        ...rest.map((word) => (process.getuid?.() === 0 ? word.replace("daemon off;", "daemon off; user root;") : word)),
      ],
      env: path,
    };
  return { program, args: [...rest, "--port", String(port), "--bind", "127.0.0.1", "--dir", place], env: path };
}

/** The mounted configuration, listening on this machine and writing to its own directory. */
async function renderNginx({ definition, examples, place, port, route }: Context): Promise<void> {
  const [source = "", target] = definition.volumes?.[0]?.split(":") ?? [];
  if (target !== "/etc/nginx/nginx.conf") throw new Error("nginx: the test expects its configuration as the first volume");
  const written = route(await readFile(join(examples, source), "utf8"));
  const rendered = written
    .replaceAll(" /tmp/", ` ${place}/`)
    .replaceAll("listen 8080;", `listen 127.0.0.1:${port};`)
    .replaceAll("/dev/stdout", join(place, "access.log"))
    .replaceAll("/dev/stderr", join(place, "error.log"))
    .replace("worker_processes auto;", "worker_processes 2;");
  await writeFile(join(place, "nginx.conf"), rendered);
}

async function healthy(name: string, child: ChildProcess, output: () => string, attempt: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await attempt())) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) throw new Error(`${name} is not healthy:\n${output()}`);
    await sleep(50);
  }
}

/** The health check as it stands, with this machine's programs and ports. */
async function check(
  [kind, ...words]: Service["healthcheck"]["test"],
  { port }: Context,
  inContainer: (text: string) => string,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const local = words.map((word) => inContainer(word).replace("redis-cli ", `redis-cli -p ${port} `).replace("127.0.0.1:8080", `127.0.0.1:${port}`));
  const [program = "", ...args] =
    kind === "CMD-SHELL"
      ? ["sh", "-c", ...local]
      : local.map((word) => (word === "node" ? process.execPath : word.replace("/app/server/bin/xlvein.js", XLVEIN)));
  return run(program, args, { env }).then(
    () => true,
    () => false,
  );
}
