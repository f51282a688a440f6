// Reads a Compose file as Docker Compose does, as far as the examples use it.
import { readFileSync } from "node:fs";
import { parse } from "yaml";

export interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A name, mounted under /run/secrets, or a name and its place. */
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[];
  /** `SOURCE:TARGET[:ro]` */
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck: { readonly test: readonly [kind: "CMD" | "CMD-SHELL", ...words: string[]] };
  readonly stop_grace_period?: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly deploy: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string; readonly pids: number } } };
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export function readCompose(file: string): Compose {
  return parse(readFileSync(file, "utf8"), { merge: true }) as Compose;
}

/** The services, each after those that it waits for. Throws where two wait for each other. */
export function startOrder({ services }: Pick<Compose, "services">): string[] {
  const order: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) throw new Error(`${[...path, name].join(" waits for ")}`);
    if (order.includes(name)) return;
    for (const other of Object.keys(services[name]?.depends_on ?? {})) visit(other, [...path, name]);
    order.push(name);
  };
  for (const name of Object.keys(services)) visit(name, []);
  return order;
}

/** Where a service finds its secrets: from the name to the path in its container. */
export function secretPaths({ secrets = [] }: Pick<Service, "secrets">): Map<string, string> {
  return new Map(secrets.map((secret) => (typeof secret === "string" ? [secret, `/run/secrets/${secret}`] : [secret.source, secret.target])));
}
