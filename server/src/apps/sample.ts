// Finds the secret that was published with the classic service's sample configuration.
import type { Finding, ListenAddress } from "../config/config.ts";
import { isLoopback } from "../config/listen.ts";
import type { AppSet } from "./registry.ts";

const SAMPLE_SECRET = "j8jasd98efan9sdfj89asjdf";

/** One warning per enabled application that anybody could act for; none while only this machine can reach the server. */
export function warnSampleSecret(set: AppSet, listen: ListenAddress): Finding[] {
  if (isLoopback(listen.host)) return [];
  return appsWithSample(set).map((key) =>
    finding("warning", key, `has the published sample secret and ${listen.host} is reachable from outside: anybody can connect and push; replace it`),
  );
}

/** One error per application with the published secret, whatever the address: for `check-config --strict`. */
export function refuseSampleSecret(set: AppSet): Finding[] {
  return appsWithSample(set).map((key) => finding("error", key, "has the published sample secret, which everybody knows; replace it"));
}

function appsWithSample({ apps }: AppSet): string[] {
  return [...apps.values()].filter(({ secrets }) => secrets.some(({ text }) => text === SAMPLE_SECRET)).map(({ key }) => key);
}

function finding(severity: Finding["severity"], key: string, message: string): Finding {
  return { severity, key: `application ${JSON.stringify(key)}`, message, source: "applications" };
}
