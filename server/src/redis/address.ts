// The configured list of Redis addresses: read, told apart, and written without credentials.
import { ordinal } from "../config/addresses.ts";
import { parseRedisUrl, type RedisAddress } from "../config/broker-url.ts";

/** Reads the list in its order. Throws a sentence that names the address by its place, never by its text. */
export function readRedisAddresses(texts: readonly string[]): readonly RedisAddress[] {
  if (texts.length === 0) throw new Error("exchange.redis names no address");
  const addresses = texts.map((text, index) => {
    try {
      return parseRedisUrl(text);
    } catch (error) {
      throw new Error(`exchange.redis: ${placeOf(index, texts.length)}${(error as Error).message}`);
    }
  });
  const identities = addresses.map(identityOf);
  const twice = identities.findIndex((identity, index) => identities.indexOf(identity) < index);
  if (twice !== -1) throw new Error(`exchange.redis: ${placeOf(twice, texts.length)}is there twice (${hostsOf(addresses[twice])})`);
  return addresses;
}

/** What makes an address this one and no other, wherever it stands in the list: its hosts in any order, its master's name and its database. Not who logs in, nor how. */
export function identityOf({ kind, hosts, master, db }: RedisAddress): string {
  const places = hosts.map(({ host, port }) => `${host.toLowerCase()}:${port}`).sort();
  return [kind, places.join(","), master, db].join(" ");
}

/** `host:port` of each host, for logs and messages. */
export function hostsOf(address: RedisAddress | undefined): string {
  if (!address) return "";
  const hosts = address.hosts.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`).join(",");
  return `${hosts}${address.master === "" ? "" : `/${address.master}`}${address.db === 0 ? "" : `/${address.db}`}`;
}

/** `the 2nd address `, or nothing where there is only one. */
export function placeOf(index: number, of: number): string {
  return of > 1 ? `the ${ordinal(index)} address ` : "";
}
