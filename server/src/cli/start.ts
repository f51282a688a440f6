// `xlvein start` (`xlvein web`): serves until a signal ends it.
import type { Command } from "commander";
import type { Flags } from "../config/flags.ts";
import type { Io } from "./io.ts";
import { addConfigOption, type ConfigOption, collectSetting, readConfig } from "./settings.ts";

interface StartOptions extends ConfigOption {
  host?: string;
  port?: string;
  logLevel?: string;
  console?: true;
  set?: Flags;
}

export function addStart(program: Command, io: Io): void {
  addConfigOption(program.command("start").alias("web").description("serve clients and backends"))
    .option("--host <address>", "where to listen, such as 127.0.0.1 or 0.0.0.0:8090")
    .option("-p, --port <port>", "the port alone; 0 lets the system choose")
    .option("--log-level <level>", "trace, debug, info, warn, error, fatal or silent")
    .option("--console", "serve the test page at /console")
    .option("--set <key=value>", "any key of the configuration; may be repeated", collectSetting)
    .addHelpText("after", START_HELP)
    .action(async (options: StartOptions) => {
      const { host, port, logLevel, console, set } = options;
      const loaded = readConfig(options, io, { host, port, "log.level": logLevel, "console.enabled": console, ...set });
      const { serve } = await import("./serve.ts");
      const { url } = await serve({ loaded, reloads: true }, io);
      if (io.terminal) io.out(`xlvein serves ${url}; Ctrl-C stops it`);
    });
}

const START_HELP = `
Flags stand above the environment (XLVEIN_*, PORT, REDIS_URL, RABBITMQ_URL), that above the file, that above the defaults.

SIGTERM, Ctrl-C   unready at once, sockets closed evenly over drain.window_seconds, then exit 0; a second one ends at once
SIGHUP            reads the applications again; a file that changes is read again by itself

Example:
  $ xlvein start --config conf.yaml --port 8090 --set drain.window_seconds=10`;
