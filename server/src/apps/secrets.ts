// Reads the secrets of an application, and warns of those that are easily guessed or known to others.
import { createSecretKey, type KeyObject } from "node:crypto";
import type { Path } from "../config/path.ts";
import type { Report } from "../config/report.ts";
import type { App, AppSecret } from "./app.ts";
import { type Fields, openFields } from "./fields.ts";

/** RFC 7518 section 3.2: an HS256 key has at least as many bytes as the hash. */
export const MIN_SECRET_BYTES = 32;
const SECRET_ID = /^[\w.-]{1,64}$/;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

interface SecretContext {
  readonly now: number;
  /** The application says `allow_short_secrets`. */
  readonly allowShort: boolean;
  readonly report: Report;
}

/** Reads `app_secret`, or `secrets`. Ended ones are kept: who uses them checks the time. */
export function readSecrets(app: Fields, context: SecretContext): readonly AppSecret[] {
  const { report } = context;
  if (app.has("app_secret") && app.has("secrets")) report.error([...app.path, "secrets"], "app_secret is set too; keep one of them");
  if (app.has("app_secret")) {
    const text = readText(app, "app_secret", context);
    return text === undefined ? [] : [secretOf("default", text, Infinity)];
  }
  if (!app.has("secrets")) {
    report.error([...app.path, "app_secret"], "is missing");
    return [];
  }
  const items = app.list("secrets");
  if (items.length === 0 && Array.isArray(app.raw("secrets"))) report.error([...app.path, "secrets"], "must hold at least one secret");
  const secrets = items.flatMap(({ value, path }) => readSecret(value, path, context));
  secrets.forEach(({ id }, i) => {
    if (secrets.findIndex((each) => each.id === id) < i) report.error([...app.path, "secrets", i, "id"], `${id} is used by a secret before`);
  });
  warnEnded(app, secrets, context);
  return secrets;
}

function readSecret(value: unknown, path: Path, context: SecretContext): AppSecret[] {
  const fields = openFields(value, path, ["id", "secret", "not_after"], context.report);
  if (!fields) return [];
  const id = fields.text("id");
  if (!fields.has("id")) context.report.error([...path, "id"], "is missing");
  else if (id !== undefined && !SECRET_ID.test(id)) context.report.error([...path, "id"], "must have 1 to 64 letters, digits and . _ -");
  const text = readText(fields, "secret", context);
  const notAfterMs = readTime(fields, context.report);
  return [secretOf(id ?? "", text ?? "", notAfterMs)];
}

function readText(fields: Fields, name: string, { allowShort, report }: SecretContext): string | undefined {
  const path = [...fields.path, name];
  if (!fields.has(name)) report.error(path, "is missing");
  const text = fields.text(name);
  if (text === "") report.error(path, "must not be empty");
  else if (text !== undefined && Buffer.byteLength(text) < MIN_SECRET_BYTES) {
    const message = `has ${Buffer.byteLength(text)} bytes; use at least ${MIN_SECRET_BYTES}: short secrets can be guessed`;
    report.warn(path, message, { strict: !allowShort });
  }
  return text;
}

function readTime(fields: Fields, report: Report): number {
  const text = fields.text("not_after");
  if (text === undefined) return Infinity;
  const time = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  report.error([...fields.path, "not_after"], "must be a time such as 2030-01-31T12:00:00Z");
  return Infinity;
}

function warnEnded(app: Fields, secrets: readonly AppSecret[], { now, report }: SecretContext): void {
  const ended = secrets.filter(({ notAfterMs }) => notAfterMs <= now);
  if (ended.length === 0) return;
  if (ended.length === secrets.length) report.warn([...app.path, "secrets"], "every secret has ended: nobody can connect or push");
  else report.warn([...app.path, "secrets"], `ended, can be removed: ${ended.map(({ id }) => id).join(", ")}`);
}

/** The application among `owners` that has a secret of this one; adds this one's secrets to `owners`. */
export function findSharer(app: App, owners: Map<string, string>): string | undefined {
  let sharer: string | undefined;
  for (const { text } of app.secrets) {
    const owner = owners.get(text);
    if (owner === undefined) owners.set(text, app.key);
    else if (owner !== app.key) sharer ??= owner;
  }
  return sharer;
}

/** What is said of an application that has a secret of `owner`. */
export function sharedSecret(owner: string): string {
  return `has a secret of application ${JSON.stringify(owner)}: whoever holds it can act in both`;
}

/** The key is made when it is asked for: of thousands of applications most are silent, and each set that replaces another would make theirs anew. */
function secretOf(id: string, text: string, notAfterMs: number): AppSecret {
  let key: KeyObject | undefined;
  return {
    ...{ id, text, notAfterMs },
    get key() {
      key ??= createSecretKey(Buffer.from(text));
      return key;
    },
  };
}
