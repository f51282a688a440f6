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
}

/** A RabbitMQ address, read. */
export interface RabbitmqAddress extends BrokerAddress {
  /** `/` when the address names none. */
  readonly vhost: string;
  /** One percent-encoded URL per host, with the credentials. */
  readonly urls: readonly string[];
}

/** A Redis address, read. */
export interface RedisAddress extends BrokerAddress {
  /** `single`: one server, one host · `sentinel`: the hosts are Sentinels · `cluster`: the hosts are some nodes of a Cluster. */
  readonly kind: "single" | "sentinel" | "cluster";
  /** The database's number; 0 when the address names none, and on a Cluster. */
  readonly db: number;
  /** The name under which the Sentinels know the master; "" otherwise. */
  readonly master: string;
  /** What the Sentinels themselves ask for; "" without. */
  readonly sentinelUser: string;
  readonly sentinelPassword: string;
  /** The same address percent-encoded and complete, with the credentials; reading it again gives the same. */
  readonly url: string;
}

/** What stands in for a password in print. */
export const MASK = "********";

/**
 * Reads `amqp://user:p@ss$word@host:5672/vhost`, `amqps://…`, several hosts parted by commas, and the same without a scheme.
 * The last `@` parts the credentials from the hosts. Throws a sentence that never holds the address.
 */
export function parseRabbitmqUrl(text: string): RabbitmqAddress {
  const { scheme, path, query, ...address } = split(text, { amqp: 5672, amqps: 5671 }, "amqp");
  const vhost = decode(path) || "/";
  const tail = `/${encodeURIComponent(vhost)}${query}`;
  return { ...address, tls: scheme === "amqps", vhost, urls: address.hosts.map((host) => `${scheme}://${writeAuthority(address, [host])}${tail}`) };
}

const REDIS_PORTS = { redis: 6379, rediss: 6379, "redis+sentinel": 26379, "rediss+sentinel": 26379, "redis+cluster": 6379, "rediss+cluster": 6379 };

/**
 * Reads `host:port`, `:6379`, `redis://user:password@host:port/db`, `redis+sentinel://user:password@host,host/master/db?sentinel_password=…`,
 * `redis+cluster://user:password@host,host`, and each with `rediss` for TLS. Throws likewise.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const { scheme, path, query, ...address } = split(text, REDIS_PORTS, "redis");
  const kind = scheme.endsWith("+sentinel") ? "sentinel" : scheme.endsWith("+cluster") ? "cluster" : "single";
  if (kind === "single" && address.hosts.length > 1) {
    throw new Error("must name one host; several are redis+sentinel:// or redis+cluster://, or a list of addresses that share the load");
  }
  const { master, db } = readRedisPath(kind, path);
  const sentinel = readSentinelQuery(kind, query);
  const tail = `/${kind === "sentinel" ? `${encodeURIComponent(master)}/` : ""}${kind === "cluster" ? "" : db}${writeSentinelQuery(sentinel)}`;
  const url = `${scheme}://${writeAuthority(address, address.hosts)}${tail}`;
  return { ...address, kind, tls: scheme.startsWith("rediss"), db, master, ...sentinel, url };
}

function readRedisPath(kind: RedisAddress["kind"], path: string): Pick<RedisAddress, "master" | "db"> {
  const [first = "", second = "", ...rest] = path.split("/");
  const [master, number] = kind === "sentinel" ? [decode(first), second] : ["", path];
  if (kind === "sentinel" && master === "") throw new Error("must name the master after the hosts, such as /mymaster or /mymaster/0");
  const end = kind === "sentinel" ? "/mymaster/0" : "/0";
  if (!/^\d{0,5}$/.test(number) || (kind === "sentinel" && rest.length > 0)) throw new Error(`must end in a database number, such as ${end}`);
  if (kind === "cluster" && Number(number) !== 0) throw new Error("must not name a database other than 0: a Cluster has no other");
  return { master, db: Number(number) };
}

type SentinelLogin = Pick<RedisAddress, "sentinelUser" | "sentinelPassword">;

/** Parameters that mean nothing here are refused: they would be believed to do something. A `+` is a `+`: base64 has it. */
function readSentinelQuery(kind: RedisAddress["kind"], query: string): SentinelLogin {
  const parts = query.slice(1).split("&");
  const parameters = new Map(query.length > 1 ? parts.map((part) => [part.split("=", 1)[0] ?? "", decode(part.slice(part.indexOf("=") + 1))]) : []);
  const known = kind === "sentinel" ? ["sentinel_user", "sentinel_password"] : [];
  if ([...parameters.keys()].some((name) => !known.includes(name))) {
    throw new Error(known.length === 0 ? "must not have parameters after a ?" : `must not have other parameters than ${known.join(" and ")}`);
  }
  return { sentinelUser: parameters.get("sentinel_user") ?? "", sentinelPassword: parameters.get("sentinel_password") ?? "" };
}

function writeSentinelQuery({ sentinelUser, sentinelPassword }: SentinelLogin): string {
  const parameters: string[] = [];
  if (sentinelUser !== "") parameters.push(`sentinel_user=${encodeURIComponent(sentinelUser)}`);
  if (sentinelPassword !== "") parameters.push(`sentinel_password=${encodeURIComponent(sentinelPassword)}`);
  return parameters.length === 0 ? "" : `?${parameters.join("&")}`;
}

/** The address with its password and the values of its query masked; without a user's name, everything before the `@`. */
export function maskUrl(text: string): string {
  const { scheme, rest } = splitScheme(text.trim());
  const prefix = scheme === "" ? "" : `${scheme}://`;
  const at = findAt(rest);
  const address = rest.slice(at + 1).replaceAll(/([?&][^=&]*)=[^&]*/g, `$1=${MASK}`);
  if (at === -1) return prefix + address;
  const user = /^([^:]*):/s.exec(rest.slice(0, at))?.[1];
  return `${prefix}${user === undefined ? "" : `${user}:`}${MASK}@${address}`;
}

interface Parts extends Pick<BrokerAddress, "user" | "password" | "hosts"> {
  readonly scheme: string;
  /** After the hosts' `/`, not decoded. */
  readonly path: string;
  /** With its `?`, or "". */
  readonly query: string;
}

function split(text: string, ports: Readonly<Record<string, number>>, fallback: string): Parts {
  const { scheme: written, rest } = splitScheme(text.trim());
  const scheme = written === "" ? fallback : written;
  const port = Object.hasOwn(ports, scheme) ? ports[scheme] : undefined;
  if (port === undefined) throw new Error(`must begin with ${formatter.format(Object.keys(ports).map((name) => `${name}://`))}`);
  const at = findAt(rest);
  const [, list = "", path = "", query = ""] = /^([^/?]*)(?:\/([^?]*))?(\?.*)?$/s.exec(rest.slice(at + 1)) ?? [];
  const hosts = list.split(",").map((host) => parseBrokerHost(host.trim(), port));
  return { scheme, ...splitCredentials(at === -1 ? "" : rest.slice(0, at)), hosts, path, query };
}

/** Where the credentials end: at the last `@`, but for one in the Sentinels' password. */
function findAt(rest: string): number {
  const query = rest.search(/\?sentinel_(user|password)=/);
  return (query === -1 ? rest : rest.slice(0, query)).lastIndexOf("@");
}

const formatter = new Intl.ListFormat("en-GB", { type: "disjunction" });

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

/** `user:password@host:port,[::1]:port`, percent-encoded. */
function writeAuthority({ user, password }: Pick<Parts, "user" | "password">, hosts: readonly BrokerHost[]): string {
  const secret = password === "" ? "" : `:${encodeURIComponent(password)}`;
  const credentials = user === "" && secret === "" ? "" : `${encodeURIComponent(user)}${secret}@`;
  return credentials + hosts.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`).join(",");
}

/** Percent-decoded; as written where it is not percent-encoded (a password with a lone `%`). */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
