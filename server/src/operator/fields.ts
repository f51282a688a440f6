// Turns the spec of an Application into the fields that the server reads, and says what the server would refuse.
import { parseApplications } from "../apps/parse.ts";
import { ConfigError } from "../config/config.ts";
import type { ApplicationSpec } from "./application.ts";

/** Of the resource alone; every other field is one of the server's, in camelCase. */
const OWN_FIELDS = ["appKey", "serverRef", "credentials"];
const PLACEHOLDER = "0123456789abcdef0123456789abcdef";

/** An application without key and secrets, in the snake_case of applications.json. */
export type AppFields = Readonly<Record<string, unknown>>;

/** The server's fields in a spec. */
export function toFields(spec: ApplicationSpec): AppFields {
  return snakeCase(Object.fromEntries(Object.entries(spec).filter(([name]) => !OWN_FIELDS.includes(name)))) as AppFields;
}

/** Why the server would refuse a set with this application; `undefined` when it would not. */
export function refuseFields(appKey: string, fields: AppFields): string | undefined {
  try {
    parseApplications([{ app_key: appKey, app_secret: PLACEHOLDER, ...fields }], { source: "spec", now: 0 });
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const faults = error.findings.filter(({ severity }) => severity === "error");
    return faults.map(({ key, message, suggestion }) => `${camelPath(key)} ${message}${suggestion === undefined ? "" : ` (${suggestion})`}`).join("; ");
  }
}

/** Every key of the maps within; texts are left alone. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), snakeCase(each)]));
}

/** `applications[0].allowed_origins[1]` → `spec.allowedOrigins[1]` */
function camelPath(key: string): string {
  return key.replace(/^(applications)?\[0\]/, "spec").replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
