// `xlvein doctor`: is everything as a server needs it, and does a message get through?
import type { Command } from "commander";
import type { App } from "../apps/app.ts";
import { findPlaces } from "../apps/places.ts";
import { createReloader } from "../apps/reload.ts";
import { createLog } from "../log.ts";
import { createReport } from "./doctor-report.ts";
import { CliError, type Io } from "./io.ts";
import { addConfigOption, baseUrl, type ConfigOption, explainConfig, readConfig } from "./settings.ts";
import { findUrl, type UrlOptions } from "./target.ts";

interface DoctorOptions extends ConfigOption, UrlOptions {
  flow?: true;
  internalUrl?: string;
  applicationsDir?: string;
  insecure?: true;
}

/** Adds the command; it ends with exit code 1 when one thing is not as it should be. */
export function addDoctor(program: Command, io: Io): void {
  addConfigOption(program.command("doctor").description("look whether everything is as a server needs it; with --flow, whether a message gets through"))
    .option("--flow", "connect to a running server, push, receive, cut the connection, come back, recover what was missed")
    .option("--url <url>", "with --flow: the server (default: XLVEIN_URL, else from the configuration)")
    .option("--internal-url <url>", "with --flow: its internal listener (default: from the configuration, unless --url is given)")
    .option("--applications-dir <directory>", "with --flow: a directory with applications.json, instead of the configuration's applications")
    .option("--insecure", "with --flow: take any certificate")
    .addHelpText("after", HELP)
    .action(async (options: DoctorOptions) => {
      const report = createReport(io);
      if (options.flow) {
        const { runFlow } = await import("./doctor-flow.ts");
        const [apps, url, internalUrl] = [await readApps(options, io), findUrl(options, io), findInternalUrl(options, io)];
        await runFlow({ url, internalUrl, apps, insecure: options.insecure === true, report });
      } else {
        const { checkUp } = await import("./doctor-checkup.ts");
        await checkUp(options, io, report);
      }
      if (report.failures > 0) throw new CliError(report.failures === 1 ? "one thing is wrong" : `${report.failures} things are wrong`);
    });
}

const HELP = `
Without --flow it only looks: the configuration, its applications and secrets, the ports, the brokers and their clocks.
Prints a line for each thing, and exits with 1 when one of them is wrong.

Example:
  $ xlvein doctor --config conf.yaml
  $ xlvein doctor --flow --url https://push.example.com --internal-url http://10.0.0.7:8091`;

/** Throws a CliError with every fault. */
async function readApps({ applicationsDir, ...options }: DoctorOptions, io: Io): Promise<Iterable<App>> {
  const named = { applications: [], applicationsFile: "", applicationsDir: applicationsDir ?? "", applicationsSecret: "" };
  const { config, file } = applicationsDir === undefined ? readConfig(options, io) : { config: named, file: undefined };
  const places = findPlaces({ config, configFile: file, cwd: io.cwd, log: createLog({ level: "silent" }) });
  const reloader = createReloader({ places, now: Date.now, onTaken: () => {}, onRefused: () => {} });
  try {
    await reloader.look(true);
  } catch (error) {
    throw explainConfig(error);
  }
  return reloader.set?.apps.values() ?? [];
}

function findInternalUrl({ url, internalUrl, ...options }: DoctorOptions, io: Io): string | undefined {
  if (internalUrl !== undefined) {
    if (!URL.canParse(internalUrl) || !/^https?:/.test(internalUrl))
      throw new CliError(`--internal-url: ${internalUrl} is not a URL such as http://127.0.0.1:8091`, 2);
    return internalUrl;
  }
  if (url !== undefined || io.env.XLVEIN_URL) return undefined;
  const { config } = readConfig(options, io);
  return config.internal.enabled ? baseUrl("http", config.internal) : undefined;
}
