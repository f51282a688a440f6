// Reads the address to listen on, in every spelling that configuration files use.
import { isIP } from "node:net";

/** What one source says about the address; another source may say the rest. */
export interface ListenParts {
  /** `0.0.0.0` for `":8090"`. IPv6 without brackets. */
  readonly host?: string;
  readonly port?: number;
}

const ANY_HOST = "0.0.0.0";
const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

/** Reads `":8090"`, `"0.0.0.0:8090"`, `"[::1]:8090"`, `"127.0.0.1"`, `"localhost"`, `8090`. Throws a sentence. */
export function parseListen(value: unknown): ListenParts {
  if (typeof value === "number") return { host: ANY_HOST, port: checkPort(value) };
  if (typeof value !== "string") throw new Error('must be an address such as ":8090" or "127.0.0.1:8090"');
  const text = value.trim();
  if (/^\d+$/.test(text)) return { host: ANY_HOST, port: checkPort(Number(text)) };
  if (isIP(text) !== 0) return { host: text };
  const match = /^(.*?)(?::(\d+))?$/.exec(text);
  const host = parseHost(match?.[1] ?? "");
  return match?.[2] === undefined ? { host } : { host, port: checkPort(Number(match[2])) };
}

/** Reads a host without a port: an IP address (brackets allowed) or a name. Throws a sentence. */
export function parseHost(text: string): string {
  if (text === "") return ANY_HOST;
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined ? isIP(bare) === 6 : isIP(text) !== 0) return bare ?? text;
  // Digits and dots that are no IP address are a slip, not a name.
  if (bare === undefined && NAME.test(text) && !/^[\d.]+$/.test(text)) return text;
  throw new Error('must be an address such as ":8090", "127.0.0.1:8090" or "[::1]:8090"');
}

/** Writes an address as the configuration file would. */
export function formatListen({ host, port }: Required<ListenParts>): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^(::ffff:)?127\./.test(host);
}

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error("must have a port from 0 to 65535");
  return port;
}
