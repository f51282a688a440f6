// Replaces every secret of a configuration before somebody reads it.
import { MASK, maskUrl } from "./broker-url.ts";
import { findSetting } from "./schema.ts";

/** Fields of applications that anybody may see; the texts of all others are masked, misspelt ones included. */
const PUBLIC_FIELDS = new Set([
  ...["revision", "app_key", "id", "not_after", "algorithms", "push_auth", "nonce_reuse", "allowed_origins"],
  ...["client_rights", "slow", "prefix", "publish"],
]);

/** A value of the effective configuration, fit to be printed. */
export function maskValue(key: string, value: unknown): unknown {
  const setting = findSetting(key);
  if (!setting?.sensitive) return value;
  return setting.format === "addresses" ? maskAddresses(value) : maskFields(value, false);
}

function maskAddresses(value: unknown): unknown {
  return Array.isArray(value) ? value.map(maskAddresses) : typeof value === "string" ? maskUrl(value) : MASK;
}

function maskFields(value: unknown, isPublic: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => maskFields(item, isPublic));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, maskFields(each, PUBLIC_FIELDS.has(name))]));
  }
  return typeof value === "string" && !isPublic && value !== "" ? MASK : value;
}
