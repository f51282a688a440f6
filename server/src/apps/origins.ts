// Reads the origins from which browsers may connect to an application.
import type { Report } from "../config/report.ts";
import type { Fields } from "./fields.ts";

/** Exact origins as browsers send them. Faults suggest the spelling that would match. */
export function readOrigins(fields: Fields, report: Report): ReadonlySet<string> {
  const origins = new Set<string>();
  for (const { value, path } of fields.list("allowed_origins")) {
    const wanted = typeof value === "string" ? originOf(value) : undefined;
    if (value === "*") report.error(path, "must be an origin; leave allowed_origins out to allow every one");
    else if (wanted === undefined) report.error(path, "must be an origin such as https://example.com");
    else if (wanted !== value) report.error(path, "is not spelt as browsers send it", { suggestion: wanted });
    else origins.add(wanted);
  }
  return origins;
}

function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.host === "" || url.username !== "" || url.password !== "") return undefined;
  // Apps in a web view have schemes of their own (capacitor://localhost), to which URL gives the origin "null".
  return url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin;
}
