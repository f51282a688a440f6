// A real RabbitMQ broker with ports, directories, a cookie and an epmd of its own, ended by its pids.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./redis-server.ts";

// Not the wrappers in /usr/sbin: they change to the system's user and directories.
const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CTL = "/usr/lib/rabbitmq/bin/rabbitmqctl";
const EPMD = "/usr/bin/epmd";

/** A broker boots in 4 to 11 s; this is for a machine that is busy besides. */
const BOOT_MS = 90_000;

const run = promisify(execFile);

export interface RabbitmqServer {
  readonly port: number;
  /** `amqp://guest:guest@127.0.0.1:port/` */
  readonly url: string;
  /** The Erlang VM's. */
  readonly pid: number;
  /** SIGKILL of the VM; resolves when it is gone. */
  kill(): Promise<void>;
  /** Boots again on the same ports and data; resolves when it accepts AMQP. */
  start(): Promise<void>;
  /** Runs rabbitmqctl against it (1 to 4 s) and answers its output. */
  ctl(...args: string[]): Promise<string>;
}

/** A test, or a file: `node:test` itself. */
interface Owner {
  after(end: () => Promise<void>): void;
}

/** Starts a broker that listens on loopback only; after the test nothing of it is left. `settings` are further lines of its rabbitmq.conf. */
export async function startRabbitmq(t: Owner, settings = ""): Promise<RabbitmqServer> {
  for (const binary of [SERVER, CTL, EPMD]) {
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`npm test\`, or \`apt-get install --no-install-recommends rabbitmq-server\``);
  }
  const directory = await mkdtemp(join(tmpdir(), "xlvein-rabbitmq-"));
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const env = await environment(directory, port, distPort, epmdPort, settings);
  let epmd: ChildProcess | undefined;
  let vm: ChildProcess | undefined;
  let booted: Promise<string> | undefined;

  const ctl = async (...args: string[]): Promise<string> =>
    (await run(CTL, ["--quiet", "-n", String(env["RABBITMQ_NODENAME"]), ...args], { env, cwd: directory })).stdout;

  async function start(): Promise<void> {
    booted = undefined;
    epmd ??= spawn(EPMD, ["-port", String(epmdPort), "-address", "127.0.0.1"], { env, stdio: "ignore" });
    vm = spawn(SERVER, [], { env, cwd: directory, stdio: "ignore" });
    const deadline = Date.now() + BOOT_MS;
    while (!(await accepts(port))) {
      if (vm.exitCode !== null || Date.now() > deadline) throw new Error(`rabbitmq-server does not start: ${await lastLines(directory)}`);
      await sleep(50);
    }
  }
  // Also when the test's process breaks off before its end.
  process.once("exit", () => {
    vm?.kill("SIGKILL");
    epmd?.kill("SIGKILL");
  });
  t.after(async () => {
    await end(vm);
    await end(epmd);
    await rm(directory, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    url: `amqp://guest:guest@127.0.0.1:${port}/`,
    get pid() {
      return vm?.pid ?? 0;
    },
    kill: () => end(vm),
    start,
    ctl: async (...args) => {
      // The broker answers AMQP a moment before it takes most commands.
      booted ??= ctl("await_startup");
      await booted;
      return ctl(...args);
    },
  };
}

async function environment(directory: string, port: number, distPort: number, epmdPort: number, settings: string): Promise<NodeJS.ProcessEnv> {
  const config = join(directory, "rabbitmq.conf");
  await mkdir(join(directory, "home"));
  const cookie = join(directory, "home", ".erlang.cookie");
  await writeFile(cookie, randomBytes(16).toString("hex"));
  await chmod(cookie, 0o400);
  await writeFile(config, `disk_free_limit.absolute = 1MB\nlog.file.level = warning\n${settings}`);
  await writeFile(join(directory, "enabled_plugins"), "[].\n");
  return {
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    HOME: join(directory, "home"),
    // The start script then becomes the VM, so that the child's pid is the VM's.
    RUNNING_UNDER_SYSTEMD: "true",
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `xlvein${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
    RABBITMQ_CTL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
    RABBITMQ_CONF_ENV_FILE: join(directory, "none.conf"),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ADVANCED_CONFIG_FILE: join(directory, "none.config"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "enabled_plugins"),
    RABBITMQ_MNESIA_BASE: join(directory, "mnesia"),
    RABBITMQ_LOG_BASE: join(directory, "log"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(directory, "generated"),
    RABBITMQ_PID_FILE: join(directory, "pid"),
  };
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Whether somebody there answers AMQP's protocol header. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.write("AMQP\x00\x00\x09\x01"));
    socket.once("data", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

async function lastLines(directory: string): Promise<string> {
  const log = await run("sh", ["-c", `tail -n 5 ${join(directory, "log")}/*.log`]).catch(() => undefined);
  return log?.stdout ?? (await readFile(join(directory, "rabbitmq.conf"), "utf8"));
}
