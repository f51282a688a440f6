// Reads broker addresses as people write them, passwords with unescaped signs included, and writes them as a URL that every library reads.

/** Where a broker's node listens. */
export interface BrokerHost {
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

interface BrokerAddress {
  /** "" without one. Decoded. */
  readonly user: string;
  readonly password: string;
  /** At least one. */
  readonly hosts: readonly BrokerHost[];
  readonly tls: boolean;
  /** One percent-encoded URL per host, with the credentials. */
  readonly urls: readonly string[];
}

/** A RabbitMQ address, read. */
export interface RabbitmqAddress extends BrokerAddress {
  /** `/` when the address names none. */
  readonly vhost: string;
}

/** A Redis address, read. */
export interface RedisAddress extends BrokerAddress {
  /** The database's number; 0 when the address names none. */
  readonly db: number;
}

/** What stands in for a password in print. */
export const MASK = "********";

/**
 * Reads `amqp://user:p@ss$word@host:5672/vhost`, `amqps://…`, several hosts parted by commas, and the same without a scheme.
 * The last `@` parts the credentials from the hosts. Throws a sentence that never holds the address.
 */
export function parseRabbitmqUrl(text: string): RabbitmqAddress {
  const parts = split(text, { amqp: 5672, amqps: 5671 }, "amqp");
  const vhost = decode(parts.path) || "/";
  const encoded = `/${encodeURIComponent(vhost)}${parts.query}`;
  return { ...parts.address, vhost, urls: urlsOf(parts, encoded) };
}

/** Reads `host:port`, `:6379`, `redis://user:password@host:port/db`, `rediss://…`, and several hosts parted by commas. Throws likewise. */
export function parseRedisUrl(text: string): RedisAddress {
  const parts = split(text, { redis: 6379, rediss: 6379 }, "redis");
  if (!/^\d{0,5}$/.test(parts.path)) throw new Error("must end in a database number, such as /0");
  return { ...parts.address, db: Number(parts.path), urls: urlsOf(parts, `/${Number(parts.path)}${parts.query}`) };
}

/** The address with its password and the values of its query masked; without a user's name, everything before the `@`. */
export function maskUrl(text: string): string {
  const { scheme, rest } = splitScheme(text.trim());
  const prefix = scheme === "" ? "" : `${scheme}://`;
  const at = rest.lastIndexOf("@");
  const address = rest.slice(at + 1).replaceAll(/([?&][^=&]*)=[^&]*/g, `$1=${MASK}`);
  if (at === -1) return prefix + address;
  const user = /^([^:]*):/s.exec(rest.slice(0, at))?.[1];
  return `${prefix}${user === undefined ? "" : `${user}:`}${MASK}@${address}`;
}

interface Parts {
  readonly scheme: string;
  readonly address: Omit<BrokerAddress, "urls">;
  /** After the hosts' `/`, not decoded. */
  readonly path: string;
  /** With its `?`, or "". */
  readonly query: string;
}

function split(text: string, ports: Readonly<Record<string, number>>, fallback: string): Parts {
  const { scheme: written, rest } = splitScheme(text.trim());
  const scheme = written === "" ? fallback : written;
  const port = Object.hasOwn(ports, scheme) ? ports[scheme] : undefined;
  if (port === undefined) throw new Error(`must begin with ${Object.keys(ports).join(":// or ")}://`);
  const at = rest.lastIndexOf("@");
  const [, list = "", path = "", query = ""] = /^([^/?]*)(?:\/([^?]*))?(\?.*)?$/s.exec(rest.slice(at + 1)) ?? [];
  const { user, password } = splitCredentials(at === -1 ? "" : rest.slice(0, at));
  const hosts = list.split(",").map((host) => parseBrokerHost(host.trim(), port));
  return { scheme, address: { user, password, hosts, tls: scheme === "amqps" || scheme === "rediss" }, path, query };
}

function splitScheme(text: string): { scheme: string; rest: string } {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text);
  return { scheme: match?.[1]?.toLowerCase() ?? "", rest: match?.[2] ?? text };
}

function splitCredentials(text: string): { user: string; password: string } {
  const colon = text.indexOf(":");
  return colon === -1 ? { user: decode(text), password: "" } : { user: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function parseBrokerHost(text: string, defaultPort: number): BrokerHost {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]\s]*)(?::(\d{1,5}))?$/i.exec(text);
  if (!match || text === "") throw new Error("must name a host, such as 127.0.0.1:6379 or broker.example.org");
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port < 1 || port > 65535) throw new Error("must have a port from 1 to 65535");
  return { host: match[1]?.replace(/^\[|\]$/g, "") || "localhost", port };
}

function urlsOf({ scheme, address: { user, password, hosts } }: Parts, tail: string): string[] {
  const secret = password === "" ? "" : `:${encodeURIComponent(password)}`;
  const credentials = user === "" && secret === "" ? "" : `${encodeURIComponent(user)}${secret}@`;
  return hosts.map(({ host, port }) => `${scheme}://${credentials}${host.includes(":") ? `[${host}]` : host}:${port}${tail}`);
}

/** Percent-decoded; as written where it is not percent-encoded (a password with a lone `%`). */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
