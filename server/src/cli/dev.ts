// `xlvein dev`: a server to try things on, with two accounts, the console and a line to paste; no file needed.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { devNull } from "node:os";
import type { Command } from "commander";
import type { LoadedConfig } from "../config/load.ts";
import type { Io } from "./io.ts";
import { readConfig } from "./settings.ts";
import { connectToken } from "./sign.ts";
import { type CliApp, findApp } from "./target.ts";
import { DEFAULT_EXPIRES } from "./values.ts";
import { version } from "./version.ts";

const APP = "test";
const HOST = "127.0.0.1";
const USUAL_PORT = 8090;

interface DevOptions {
  port?: string;
  logLevel: string;
}

export function addDev(program: Command, io: Io): void {
  program
    .command("dev")
    .description("try it: a server for this machine alone, with two accounts, a console page and a curl line to paste")
    .option("-p, --port <port>", `where to listen on ${HOST} (default: PORT, else ${USUAL_PORT}, else any that is free)`)
    .option("--log-level <level>", "trace, debug, info, warn, error, fatal or silent", "warn")
    .addHelpText("after", "\nNothing is read from a file, nothing is kept: each run has a new secret.")
    .action(async (options: DevOptions) => {
      const app = await findApp({ app: APP, secret: randomBytes(24).toString("base64url") }, io);
      const loaded = await configure(options, app, io);
      const { serve } = await import("./serve.ts");
      const { url } = await serve({ loaded, reloads: false }, io);
      io.out(welcome(url, app));
    });
}

async function configure({ port, logLevel }: DevOptions, app: CliApp, io: Io): Promise<LoadedConfig> {
  const applications = [{ app_key: app.key, app_secret: app.secretText, push_auth: ["sign", "bearer", "open"] }];
  const flags = {
    applications,
    host: HOST,
    port: port ?? (io.env.PORT || (await freePort(io))),
    // Health and metrics on whichever port is free: a server that runs here already keeps 8091.
    "internal.host": HOST,
    "internal.port": 0,
    "drain.window_seconds": 0,
    "log.level": logLevel,
    "console.enabled": true,
    "docs.enabled": true,
  };
  // An empty file and environment: what lies in this folder is for `start`.
  return readConfig({ config: devNull }, { ...io, env: {} }, flags);
}

/** The usual port, or 0 when something listens there. */
async function freePort(io: Io): Promise<number> {
  const probe = createServer().listen(USUAL_PORT, HOST);
  try {
    await once(probe, "listening");
  } catch {
    io.err(`port ${USUAL_PORT} is in use: another one is chosen`);
    return 0;
  }
  probe.close();
  await once(probe, "close");
  return USUAL_PORT;
}

function welcome(url: string, app: CliApp): string {
  const [first, second] = ["user_1", "user_2"];
  const [ta, tb] = [connectToken(app, first, DEFAULT_EXPIRES).token, connectToken(app, second, DEFAULT_EXPIRES).token];
  const prefilled = new URLSearchParams({ app: app.key, a: first, ta, b: second, tb, secret: app.secretText });
  return `
xlvein ${version} serves ${url} for this machine alone; Ctrl-C stops it

1. Open the console; ${first} and ${second} are ready to connect:

   ${url}/console#${prefilled}

2. Push to ${first} from another terminal:

   curl ${url}/api/v1/im/push -d app_key=${app.key} -d send_to=${first} -d nonce=$(date +%s%N) -d 'message={"text":"hello"}'

App key ${app.key}, secret ${app.secretText} (new in each run). The API is described at ${url}/docs
`;
}
