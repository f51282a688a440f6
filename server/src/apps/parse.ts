// Reads a set of applications: `{revision, applications: […]}` or the list alone, in the one snake_case schema of every source.
import type { Finding } from "../config/config.ts";
import { ConfigError } from "../config/config.ts";
import type { Path } from "../config/path.ts";
import { createReport, type Report } from "../config/report.ts";
import { OTHER_APP } from "../metrics/metrics.ts";
import { ALGORITHMS, type App, type AppLimits, PUSH_AUTH, RIGHTS, SLOW_POLICIES } from "./app.ts";
import { type Fields, openFields } from "./fields.ts";
import { readOrigins } from "./origins.ts";
import type { AppSet } from "./registry.ts";
import { digestRevision } from "./revision.ts";
import { findSharer, readSecrets, sharedSecret } from "./secrets.ts";
import { readHistory, readRooms } from "./streams.ts";

/** What the parser must know beside the input. */
export interface ParseContext {
  /** As findings name it: `conf.yaml`, `environment`. */
  source: string;
  /** Milliseconds since 1970: which secrets have ended. */
  now: number;
  /** Where the set stands in its source; `[]` for a file of its own. */
  path?: Path;
  /** The line of a path, where the source has lines. */
  line?: (path: Path) => number | undefined;
}

/** A sound set, and what is to be said of it. */
export interface ParsedApplications {
  readonly set: AppSet;
  readonly warnings: readonly Finding[];
  /** The source says that having no application is meant. */
  readonly allowEmpty: boolean;
}

const APP_FIELDS = [
  "app_key",
  "app_secret",
  "secrets",
  "enabled",
  "algorithms",
  "push_auth",
  "nonce_reuse",
  "nonce_ttl_seconds",
  "require_exp",
  "close_on_expiry",
  "deflate",
  "allowed_origins",
  "allow_short_secrets",
  "client_rights",
  "history",
  "slow",
  "rooms",
  "limits",
];
const LIMIT_FIELDS = [
  "max_connections",
  "max_connections_per_account",
  "max_message_bytes",
  "messages_per_second_per_connection",
  "pushes_per_second",
  "max_rooms_per_connection",
];
const DEFAULT_ROOMS_PER_CONNECTION = 128;
const MAX_ROOMS_PER_CONNECTION = 10_000;
const DEFAULT_NONCE_TTL_SECONDS = 300;
const MAX_NONCE_TTL_SECONDS = 86_400;
const MAX_KEY_LENGTH = 128;
/** Control characters, and halves of surrogate pairs. */
const UNFIT = /[\p{Cc}\p{Cs}]/u;

/** Parses a set. Throws a ConfigError that holds every fault and every warning. */
export function parseApplications(input: unknown, { source, now, path = [], line }: ParseContext): ParsedApplications {
  // A file that is the list itself: findings call it `applications` all the same.
  const isBareList = Array.isArray(input) && path.length === 0;
  const report = createReport(source, isBareList ? (at) => line?.(at.slice(1)) : line);
  const { items, itemsPath, revision, allowEmpty } = readSet(input, isBareList ? ["applications"] : path, report);
  const apps = new Map<string, App>();
  const context: AppContext = { now, report, secretOwners: new Map() };
  items.forEach((item, i) => {
    const at = [...itemsPath, i];
    const app = readApp(item, at, context);
    if (app === undefined) return;
    if (apps.has(app.key)) report.error([...at, "app_key"], `${JSON.stringify(app.key)} is used by an application before`);
    apps.set(app.key, app);
  });
  if (report.findings.some(({ severity }) => severity === "error")) throw new ConfigError(report.findings);
  return { set: { revision: revision ?? digestRevision(items), apps }, warnings: report.findings, allowEmpty };
}

interface SetParts {
  readonly items: readonly unknown[];
  readonly itemsPath: Path;
  readonly revision: string | undefined;
  readonly allowEmpty: boolean;
}

function readSet(input: unknown, path: Path, report: Report): SetParts {
  if (Array.isArray(input)) return { items: input, itemsPath: path, revision: undefined, allowEmpty: false };
  const none: SetParts = { items: [], itemsPath: path, revision: undefined, allowEmpty: false };
  if (typeof input !== "object" || input === null) {
    report.error(path.length === 0 ? ["applications"] : path, "must be a list of applications, or a map {revision, applications}");
    return none;
  }
  const fields = openFields(input, path, ["revision", "applications", "allow_empty"], report);
  if (!fields) return none;
  if (!fields.has("applications")) report.error([...path, "applications"], "is missing");
  return {
    items: fields.list("applications").map(({ value }) => value),
    itemsPath: [...path, "applications"],
    revision: readRevision(fields, report),
    allowEmpty: fields.flag("allow_empty", false),
  };
}

/** A number in YAML is a revision too. */
function readRevision(fields: Fields, report: Report): string | undefined {
  const value = fields.raw("revision");
  if (value === undefined) return undefined;
  const text = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === "string" && /^[\w.:+-]{1,128}$/.test(text)) return text;
  report.error([...fields.path, "revision"], "must be a whole number, or a text of at most 128 letters, digits and . _ : + -");
  return undefined;
}

interface AppContext {
  readonly now: number;
  readonly report: Report;
  /** Which application has a secret, for those that come later. */
  readonly secretOwners: Map<string, string>;
}

function readApp(item: unknown, path: Path, { now, report, secretOwners }: AppContext): App | undefined {
  const fields = openFields(item, path, APP_FIELDS, report);
  if (!fields) return undefined;
  const allowShort = fields.flag("allow_short_secrets", false);
  const key = readKey(fields, report);
  const rest: Omit<App, "key"> = {
    enabled: fields.flag("enabled", true),
    secrets: readSecrets(fields, { now, report, allowShort }),
    algorithms: fields.choices("algorithms", ALGORITHMS, ["HS256"]),
    pushAuth: new Set(fields.choices("push_auth", PUSH_AUTH, ["sign", "bearer"])),
    nonceReuse: fields.choice("nonce_reuse", ["refuse", "allow_other_body"], "refuse"),
    nonceTtlMs: fields.whole("nonce_ttl_seconds", { min: 1, max: MAX_NONCE_TTL_SECONDS }, DEFAULT_NONCE_TTL_SECONDS) * 1000,
    requireExp: fields.flag("require_exp", false),
    closeOnExpiry: fields.flag("close_on_expiry", false),
    deflate: fields.flag("deflate", false),
    allowedOrigins: readOrigins(fields, report),
    clientRights: new Set(fields.choices("client_rights", RIGHTS, RIGHTS, 0)),
    history: readHistory(fields, report),
    slow: fields.choice("slow", SLOW_POLICIES, "close"),
    rooms: readRooms(fields, report),
    limits: readLimits(fields),
  };
  if (key === undefined) return undefined;
  const app = { key, ...rest };
  const owner = findSharer(app, secretOwners);
  if (owner !== undefined) report.warn(path, sharedSecret(owner), { strict: !allowShort });
  return app;
}

function readKey(fields: Fields, report: Report): string | undefined {
  const path = [...fields.path, "app_key"];
  if (!fields.has("app_key")) report.error(path, "is missing");
  const key = fields.text("app_key");
  if (key === undefined) return undefined;
  if (key === "") report.error(path, "must not be empty");
  else if (key.length > MAX_KEY_LENGTH) report.error(path, `must have at most ${MAX_KEY_LENGTH} characters`);
  else if (UNFIT.test(key)) report.error(path, "must not hold control characters");
  else {
    if (key === OTHER_APP) report.warn(path, "shares its metrics with requests that name no application; choose another key");
    return key;
  }
  return undefined;
}

function readLimits(app: Fields): AppLimits {
  const fields = app.fields("limits", LIMIT_FIELDS);
  const limit = (name: string) => fields?.whole(name, { min: 1, max: Number.MAX_SAFE_INTEGER }, Infinity) ?? Infinity;
  return {
    maxConnections: limit("max_connections"),
    maxConnectionsPerAccount: limit("max_connections_per_account"),
    maxMessageBytes: limit("max_message_bytes"),
    messagesPerSecondPerConnection: limit("messages_per_second_per_connection"),
    pushesPerSecond: limit("pushes_per_second"),
    maxRoomsPerConnection:
      fields?.whole("max_rooms_per_connection", { min: 0, max: MAX_ROOMS_PER_CONNECTION }, DEFAULT_ROOMS_PER_CONNECTION) ?? DEFAULT_ROOMS_PER_CONNECTION,
  };
}
