// Runs a server until a signal ends it.
import { createAppSource, logFinding } from "../apps/sources.ts";
import type { ListenAddress } from "../config/config.ts";
import { formatOrigin } from "../config/entry.ts";
import type { LoadedConfig } from "../config/load.ts";
import { createLog } from "../log.ts";
import { createServer, type Listening, type Server } from "../server.ts";
import { giveBack } from "./give-back.ts";
import { CliError, endWithReader, type Io } from "./io.ts";
import { explainConfig } from "./settings.ts";
import { handleSignals } from "./signals.ts";
import { version } from "./version.ts";

export interface ServeOptions {
  loaded: LoadedConfig;
  /** Whether SIGHUP reads the applications again; else it stops the server. */
  reloads: boolean;
}

/** Starts a server and resolves when it listens; from then on signals decide. Throws a sentence when it cannot start. */
export async function serve({ loaded, reloads }: ServeOptions, io: Io): Promise<Listening> {
  const { config, findings, file } = loaded;
  const log = createLog({ level: config.log.level });
  process.stdout.off("error", endWithReader);
  // A signal before that has nothing to drain.
  let listening: Server | undefined;
  const stop = async () => listening?.drain();
  const reload = async () => listening?.reload();
  handleSignals({ stop, log, terminal: process.stdin.isTTY === true, ...(reloads ? { reload } : {}) });

  log.info({ event: "starting", version, node: process.versions.node, installation: config.app, config_file: file });
  for (const finding of findings) logFinding(log, finding);
  let server: Server | undefined;
  try {
    server = await createServer({ config, source: createAppSource({ config, configFile: file, env: io.env, log }), log, version, env: io.env });
    const addresses = await server.listen();
    listening = server;
    giveBack();
    return addresses;
  } catch (error) {
    log.debug({ event: "start failed", err: error });
    await server?.close();
    throw explainStart(explainConfig(error), loaded);
  }
}

/** What keeps a server from starting, with the key to change. */
function explainStart(error: unknown, loaded: LoadedConfig): unknown {
  if (!(error instanceof Error) || error instanceof CliError) return error;
  const { code, syscall, port } = error as NodeJS.ErrnoException & { port?: number };
  if (syscall !== "listen" && syscall !== "getaddrinfo") return new CliError(error.message);
  const { listen, internal } = loaded.config;
  const isInternal = port === undefined ? error.message.includes(internal.host) && internal.host !== listen.host : port !== listen.port;
  const where = isInternal ? describe("internal.port", internal, loaded) : describe("host", listen, loaded);
  return new CliError(`${where} ${reasonOf(code, error.message)}`);
}

/** `host 127.0.0.1:8090 (conf.yaml:3)` */
function describe(key: string, { host, port }: ListenAddress, { origin }: LoadedConfig): string {
  const from = origin.get(key);
  return `${key} ${host.includes(":") ? `[${host}]` : host}:${port}${from ? ` (${formatOrigin(from)})` : ""}`;
}

function reasonOf(code: string | undefined, message: string): string {
  switch (code) {
    case "EADDRINUSE":
      return "is in use by another process; choose another port";
    case "EACCES":
      return "may not be used by this user; choose a port from 1024 up";
    case "EADDRNOTAVAIL":
      return "is not an address of this machine";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "is not a name that this machine can resolve";
    default:
      return `cannot be listened on: ${message}`;
  }
}
