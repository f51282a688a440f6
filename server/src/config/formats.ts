// The kinds of value that a key of the configuration may have: how each is checked, and read from text.
import convict from "convict";
import { checkAddresses, readAddresses } from "./addresses.ts";
import { parseHost, parseListen } from "./listen.ts";

/** What a setting says of its values, beside its default. Read by the checks below. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
}

interface Format {
  /** Throws a sentence that begins with `must`. */
  check(value: unknown, bounds: Bounds): void;
  /** What a text from the environment or the command line means; the text itself where it means nothing. */
  fromText(text: string): unknown;
}

const YES = ["true", "yes", "on", "1"];
const NO = ["false", "no", "off", "0"];

/** By the name that the schema uses. */
export const formats = {
  /** true or false; yes/no and on/off too, which YAML 1.1 files hold. */
  switch: {
    check(value) {
      if (typeof readSwitch(value) !== "boolean") throw new Error("must be true or false");
    },
    fromText: readSwitch,
  },
  whole: {
    check(value, bounds) {
      if (!Number.isSafeInteger(value)) throw new Error(`must be a whole number${range(bounds)}`);
      checkRange(value as number, bounds);
    },
    fromText: readNumber,
  },
  decimal: {
    check(value, bounds) {
      if (!Number.isFinite(value)) throw new Error(`must be a number${range(bounds)}`);
      checkRange(value as number, bounds);
    },
    fromText: readNumber,
  },
  text: { check: checkText, fromText: asIs },
  /** A file's or directory's name; relative to the configuration file, or to the working directory when it comes from elsewhere. */
  path: { check: checkText, fromText: asIs },
  /** A broker's address or several, which may hold passwords; `cross-check.ts` reads them where they are used. */
  addresses: { check: checkAddresses, fromText: readAddresses },
  /** Begins the names of keys, channels, exchanges and queues on a broker. */
  name: { check: checkName, fromText: asIs },
  /** A Secret's name in Kubernetes: a DNS subdomain (RFC 1123). */
  secret: { check: checkSecretName, fromText: asIs },
  choice: {
    check(value, { choices = [] }) {
      if (typeof value !== "string" || !choices.includes(value)) throw new Error(`must be one of ${choices.join(", ")}`);
    },
    fromText: asIs,
  },
  listen: { check: (value) => void parseListen(value), fromText: asIs },
  host: {
    check(value) {
      checkText(value);
      parseHost(value as string);
    },
    fromText: asIs,
  },
  applications: {
    check(value) {
      if (typeof value !== "object" || value === null)
        throw new Error("must be a list of applications, or a map with the key applications; in the environment, as JSON");
    },
    fromText: readJson,
  },
} satisfies Record<string, Format>;

/** The `format` of a key in the schema. */
export type FormatName = keyof typeof formats;

// Named formats without a coercion: convict's own would turn "10x" into 10 and every text into true.
for (const [name, { check }] of Object.entries<Format>(formats)) {
  convict.addFormat({ name, validate: (value: unknown, setting) => check(value, setting as Bounds) });
}

/** A boolean where the value spells one, else the value. */
export function readSwitch(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const word = value.toLowerCase();
  if (YES.includes(word)) return true;
  return NO.includes(word) ? false : value;
}

function readNumber(text: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function asIs(text: string): string {
  return text;
}

function checkText(value: unknown): void {
  if (typeof value !== "string") throw new Error("must be a text; put it in quotes");
}

/** Braces are hash tags on a Redis Cluster; `amq.` is RabbitMQ's own; 100 bytes leave room for what is added, within AMQP's 255. */
function checkName(value: unknown): void {
  checkText(value);
  const name = value as string;
  if (/[{}\s\p{Cc}]/u.test(name)) throw new Error("must not hold braces, white space or control characters");
  if (name.startsWith("amq.")) throw new Error('must not begin with "amq.", which RabbitMQ keeps for itself');
  if (Buffer.byteLength(name) > 100) throw new Error("must not be longer than 100 bytes");
}

function checkSecretName(value: unknown): void {
  checkText(value);
  const name = value as string;
  const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  if (name === "" || (name.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(name))) return;
  throw new Error("must be a Secret's name: at most 253 lower-case letters, digits, - and .");
}

function checkRange(value: number, bounds: Bounds): void {
  if (value < (bounds.min ?? -Infinity) || value > (bounds.max ?? Infinity)) throw new Error(`must be${range(bounds)}`);
}

function range({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  return min === undefined ? "" : ` of at least ${min}`;
}
