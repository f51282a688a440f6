// A look at a Redis that changes nothing: who it is, what time it has, and what it would do to what is kept there.
import type { Cluster, Redis } from "ioredis";
import type { BrokerTlsFiles } from "../config/config.ts";
import { within } from "../deadline.ts";
import { hostsOf, placeOf, readRedisAddresses } from "./address.ts";
import { slotKey } from "./names.ts";
import { createCluster, createConnection, readTlsFiles } from "./options.ts";

/** For all questions together. */
const LOOK_MS = 2_000;

export interface RedisSurvey {
  /** `host:port` of each host, without credentials. */
  readonly name: string;
  /** What failed: then nothing else is known. */
  readonly problem?: string;
  /** `redis 7.0.15`, `valkey 9.1.1`. */
  readonly server?: string;
  readonly roundTripMs?: number;
  /** Its clock less ours, to about half the round trip. */
  readonly skewMs?: number;
  /** `maxmemory-policy`; `undefined` where this user may not ask. */
  readonly eviction?: string | undefined;
}

/** Never rejects for a server that is away; throws for addresses and PEM files that cannot be used. */
export async function surveyRedis(texts: readonly string[], prefix: string, tls: BrokerTlsFiles | undefined): Promise<RedisSurvey[]> {
  const pem = readTlsFiles(tls);
  const addresses = readRedisAddresses(texts);
  return Promise.all(
    addresses.map(async (address, index) => {
      const name = placeOf(index, addresses.length) + hostsOf(address);
      const commands = address.kind === "cluster" ? createCluster(address, pem) : createConnection(address, pem);
      let reason = "";
      commands.on("error", (error: Error) => {
        reason = error.message;
      });
      try {
        await commands.connect();
        return { name, ...(await within(LOOK_MS, look(commands, prefix), () => new Error(`no answer within ${LOOK_MS} ms`))) };
      } catch (error) {
        return { name, problem: reason || (error as Error).message };
      } finally {
        commands.disconnect();
      }
    }),
  );
}

async function look(commands: Redis | Cluster, prefix: string): Promise<Omit<RedisSurvey, "name">> {
  // Refused with NOPERM where the user may not use our keys.
  await commands.exists(slotKey(prefix, "doctor", "none"));
  const startMs = performance.now();
  const askedAtMs = Date.now();
  const [seconds, microseconds] = await commands.time();
  const roundTripMs = performance.now() - startMs;
  const info = await commands.info("server").catch(() => "");
  const value = (key: string) => new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const name = value("server_name") ?? "redis";
  const version = value(`${name}_version`) ?? value("redis_version");
  const policy = await commands.config("GET", "maxmemory-policy").catch(() => undefined);
  return {
    server: version === undefined ? name : `${name} ${version}`,
    roundTripMs,
    skewMs: Number(seconds) * 1000 + Number(microseconds) / 1000 - (askedAtMs + roundTripMs / 2),
    eviction: Array.isArray(policy) && typeof policy[1] === "string" ? policy[1] : undefined,
  };
}
