// Which application may use which key: those of others, and those that somebody has already, are refused.
import { type Application, appKeyOf, keyOf } from "./application.ts";

/** What is wrong with an application, as its conditions say it. */
export interface Problem {
  /** A word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** An application and the key that it wants. */
export interface Claim {
  readonly app: Application;
  readonly appKey: string;
  /** Why it does not get it. */
  readonly problem?: Problem;
}

/** Whose applications count. */
export interface ClaimRules {
  /** `serverRef.name` of those that are meant for this installation. */
  readonly server: string;
  /** Whether a key may begin with the name of another namespace and a dot. */
  readonly allowForeign: boolean;
}

const DEFAULT_SERVER = "xlvein";

/** What is known beside the applications that can be seen. */
export interface Holdings {
  /** Whether an application has its key already. */
  readonly holds?: (app: Application) => boolean;
  /** Keys of applications that cannot be seen now, with their `keyOf`: they keep them. */
  readonly unseen?: ReadonlyMap<string, string>;
}

/** The claims of this installation, by `keyOf`; applications of others, and those being deleted, have none. */
export function settleClaims(
  applications: readonly Application[],
  { server, allowForeign }: ClaimRules,
  { holds = () => false, unseen = new Map() }: Holdings = {},
): ReadonlyMap<string, Claim> {
  /** The older one first; of two made in one second whoever has the key, else by name. */
  const precedence = (a: Application, b: Application): number =>
    a.createdMs - b.createdMs || Number(holds(b)) - Number(holds(a)) || (keyOf(a) < keyOf(b) ? -1 : 1);
  const ours = applications.filter(({ spec, deleting }) => !deleting && (spec.serverRef?.name ?? DEFAULT_SERVER) === server).sort(precedence);
  const owners = new Map<string, Application>();
  return new Map(
    ours.map((app) => {
      const appKey = appKeyOf(app);
      const problem =
        (allowForeign ? undefined : refuseForeign(app, appKey)) ?? refuseTaken(appKey, owners.get(appKey)) ?? refuseUnseen(appKey, unseen.get(appKey));
      if (problem === undefined) owners.set(appKey, app);
      return [keyOf(app), { app, appKey, ...(problem === undefined ? {} : { problem }) }];
    }),
  );
}

/** A key with a dot belongs to the namespace before the dot, or one could take NAMESPACE.NAME before its owner does. */
function refuseForeign({ namespace }: Application, appKey: string): Problem | undefined {
  if (!appKey.includes(".") || appKey.startsWith(`${namespace}.`)) return undefined;
  return { reason: "AppKeyForeign", message: `appKey ${appKey} has a dot and does not begin with ${namespace}. (operator.allowForeignAppKeys would allow it)` };
}

function refuseTaken(appKey: string, owner: Application | undefined): Problem | undefined {
  return owner && { reason: "AppKeyConflict", message: `appKey ${appKey} belongs to Application ${keyOf(owner)}, which is older` };
}

function refuseUnseen(appKey: string, owner: string | undefined): Problem | undefined {
  if (owner === undefined) return undefined;
  return { reason: "AppKeyConflict", message: `appKey ${appKey} belongs to Application ${owner}, whose namespace cannot be listed now` };
}
