// Which server and which application a command talks about: from options, the environment or the configuration.
import { createSecretKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { closest, distance } from "fastest-levenshtein";
import type { Algorithm, App } from "../apps/app.ts";
import { createAppSource } from "../apps/sources.ts";
import { createLog } from "../log.ts";
import { CliError, Exit, type Io } from "./io.ts";
import { addConfigOption, baseUrl, type ConfigOption, explainConfig, readConfig } from "./settings.ts";

export interface AppOptions extends ConfigOption {
  app?: string;
  secret?: string;
}

export interface UrlOptions {
  url?: string;
}

/** An application with one secret that is accepted now. */
export interface CliApp {
  readonly key: string;
  readonly secret: KeyObject;
  /** The same, for the classic sign. */
  readonly secretText: string;
  readonly algorithm: Algorithm;
}

export interface Target {
  /** `http://host:port` or `https://…`. */
  readonly url: string;
  readonly app: CliApp;
}

/** Keys shown to whoever named none or one that does not exist. */
const MAX_KEYS_SHOWN = 10;

export function addAppOptions(command: Command): Command {
  return addConfigOption(command)
    .option("--app <app_key>", "the application (default: XLVEIN_APP_KEY, else the only one configured)")
    .option("--secret <app_secret>", "its secret (default: XLVEIN_APP_SECRET or the file XLVEIN_APP_SECRET_FILE, else from the configuration)");
}

export function addUrlOption(command: Command): Command {
  return command.option("--url <url>", "the server (default: XLVEIN_URL, else from the configuration, http://127.0.0.1:8090)");
}

export async function findTarget(options: AppOptions & UrlOptions, io: Io): Promise<Target> {
  return { app: await findApp(options, io), url: findUrl(options, io) };
}

/** The server's address. Throws when it is no http(s) or ws(s) URL. */
export function findUrl({ url, ...options }: UrlOptions & ConfigOption, io: Io): string {
  const given = url ?? (io.env.XLVEIN_URL || undefined);
  if (given !== undefined) return parseUrl(given);
  const { config } = readConfig(options, io);
  return baseUrl(config.tls ? "https" : "http", config.listen);
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocol = url && { "http:": "http:", "https:": "https:", "ws:": "http:", "wss:": "https:" }[url.protocol];
  if (!url || !protocol) throw new CliError(`--url: ${text} is not a URL such as http://127.0.0.1:8090`, Exit.USAGE);
  return `${protocol}//${url.host}`;
}

/** The application and its secret. Throws a sentence that says which of the two is missing and where to name it. */
export async function findApp(options: AppOptions, io: Io): Promise<CliApp> {
  const key = options.app ?? (io.env.XLVEIN_APP_KEY || undefined);
  const secret = options.secret ?? secretFrom(io);
  if (secret === undefined) return usable(choose(await configuredApps(options, io), key));
  if (secret === "") throw new CliError("the secret is empty", Exit.USAGE);
  if (key === undefined) throw new CliError("--app is needed beside a secret", Exit.USAGE);
  return { key, secret: createSecretKey(Buffer.from(secret)), secretText: secret, algorithm: "HS256" };
}

function secretFrom({ env, cwd }: Io): string | undefined {
  const { XLVEIN_APP_SECRET: secret, XLVEIN_APP_SECRET_FILE: file } = env;
  if (secret || !file) return secret || undefined;
  try {
    return readFileSync(resolve(cwd, file), "utf8").trim();
  } catch (error) {
    throw new CliError(`XLVEIN_APP_SECRET_FILE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function configuredApps(options: ConfigOption, io: Io): Promise<ReadonlyMap<string, App>> {
  const { config, file } = readConfig(options, io);
  const source = createAppSource({ config, configFile: file, env: io.env, log: createLog({ level: "silent" }) });
  try {
    return (await source.load()).apps;
  } catch (error) {
    throw explainConfig(error);
  }
}

function choose(apps: ReadonlyMap<string, App>, key: string | undefined): App {
  if (apps.size === 0) throw new CliError("no application is configured here: name one with --app and --secret, or its file with --config", Exit.USAGE);
  const [only] = apps.values();
  if (key === undefined && apps.size === 1 && only) return only;
  if (key === undefined) throw new CliError(`--app is needed: there are ${list(apps)}`, Exit.USAGE);
  const app = apps.get(key);
  if (app) return app;
  const near = closest(key, [...apps.keys()]);
  const suggestion = distance(key, near) <= 2 ? `; did you mean ${near}?` : `; there are ${list(apps)}`;
  throw new CliError(`--app: no application ${key} is configured${suggestion}`);
}

function list(apps: ReadonlyMap<string, App>): string {
  const keys = [...apps.keys()];
  return keys.slice(0, MAX_KEYS_SHOWN).join(", ") + (keys.length > MAX_KEYS_SHOWN ? ` and ${keys.length - MAX_KEYS_SHOWN} more` : "");
}

/** The application with its first secret that is accepted now. Throws a sentence when there is none. */
export function usable({ key, secrets, algorithms }: App): CliApp {
  const secret = secrets.find(({ notAfterMs }) => notAfterMs > Date.now());
  if (!secret) throw new CliError(`every secret of application ${key} is past its not_after`);
  return { key, secret: secret.key, secretText: secret.text, algorithm: algorithms[0] ?? "HS256" };
}
