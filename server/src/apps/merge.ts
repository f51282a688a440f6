// Makes one set of what several places hold, and refuses what must not replace the set in force.
import { ConfigError, type Finding } from "../config/config.ts";
import type { App } from "./app.ts";
import type { ParsedApplications } from "./parse.ts";
import type { AppSet } from "./registry.ts";
import { digestRevision, isOlder } from "./revision.ts";
import { findSharer, sharedSecret } from "./secrets.ts";

/** What a place held. */
export interface Offer {
  readonly place: string;
  readonly parsed: ParsedApplications;
}

/** One set out of all offers. */
export interface Merged {
  readonly set: AppSet;
  readonly warnings: readonly Finding[];
}

/** Puts the offers together. Throws a ConfigError when two places hold the same application. */
export function mergeOffers(offers: readonly Offer[]): Merged {
  const apps = new Map<string, App>();
  const homes = new Map<string, string>();
  const owners = new Map<string, string>();
  const faults: Finding[] = [];
  const warnings: Finding[] = [];
  for (const { place, parsed } of offers) {
    warnings.push(...parsed.warnings);
    for (const app of parsed.set.apps.values()) {
      const home = homes.get(app.key);
      if (home !== undefined) faults.push(findingOf(place, app.key, "error", `is in ${home} too`));
      const sharer = findSharer(app, owners);
      // Within one place the parser has said it.
      if (sharer !== undefined && homes.get(sharer) !== place) warnings.push({ ...findingOf(place, app.key, "warning", sharedSecret(sharer)), strict: true });
      homes.set(app.key, place);
      apps.set(app.key, app);
    }
  }
  if (faults.length > 0) throw new ConfigError([...faults, ...warnings]);
  return { set: { revision: mergeRevisions(offers), apps }, warnings };
}

/** The only place's own revision; of several that hold applications, a digest of their names. */
function mergeRevisions(offers: readonly Offer[]): string {
  const sets = offers.map(({ parsed }) => parsed.set);
  const filled = sets.filter(({ apps }) => apps.size > 0);
  const only = filled.length === 0 ? sets.at(-1) : filled[0];
  return filled.length > 1 || only === undefined ? digestRevision(filled.map(({ revision }) => revision)) : only.revision;
}

/** Why an offer must not replace the one of the same place that is in force; `undefined` when it may. */
export function refuseOffer({ place, parsed }: Offer, inForce: ParsedApplications | undefined): Finding | undefined {
  if (inForce === undefined) return undefined;
  if (inForce.set.apps.size > 0 && parsed.set.apps.size === 0 && !parsed.allowEmpty) {
    const message = `holds no application any more, ${inForce.set.apps.size} are in force; say allow_empty: true if that is meant`;
    return { severity: "error", key: "applications", message, source: place };
  }
  if (!isOlder(parsed.set.revision, inForce.set.revision)) return undefined;
  return { severity: "error", key: "revision", message: `${parsed.set.revision} is older than ${inForce.set.revision}, which is in force`, source: place };
}

function findingOf(source: string, appKey: string, severity: Finding["severity"], message: string): Finding {
  return { severity, key: `application ${JSON.stringify(appKey)}`, message, source };
}
