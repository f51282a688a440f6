// Checks what no key can say alone: which values go together.
import { ordinal } from "./addresses.ts";
import { parseRabbitmqUrl, parseRedisUrl } from "./broker-url.ts";
import type { Config, Finding, TlsFiles } from "./config.ts";
import { findingAt, type Origin } from "./entry.ts";

/** Which store each exchange can work with. */
const STORES: Readonly<Record<Config["exchange"]["type"], readonly Config["store"]["type"][]>> = {
  local: ["memory", "redis", "none"],
  redis: ["redis", "none"],
  rabbitmq: ["redis", "none"],
};

/** `originOf` says where a key's value comes from. */
export function crossCheck(config: Config, originOf: (key: string) => Origin): Finding[] {
  const findings: Finding[] = [];
  const say = (severity: Finding["severity"], key: string, message: string) => void findings.push(findingAt(originOf(key), severity, message));
  checkStore(config, say);
  checkBrokers(config, say);
  checkTls(config, say);
  checkInternal(config, say);
  checkLimits(config, say);
  checkRebalance(config, say);
  return findings;
}

type Say = (severity: Finding["severity"], key: string, message: string) => void;

function checkStore({ exchange, store }: Config, say: Say): void {
  const allowed = STORES[exchange.type];
  if (!allowed.includes(store.type)) say("error", "store.type", `${store.type} does not go with exchange.type ${exchange.type}; use ${allowed.join(" or ")}`);
}

function checkBrokers({ exchange, store }: Config, say: Say): void {
  const redisUser = exchange.type === "redis" ? "exchange.type" : store.type === "redis" ? "store.type" : undefined;
  const rabbitmqUser = exchange.type === "rabbitmq" ? "exchange.type" : undefined;
  const redis = checkBroker("exchange.redis", exchange.redis, parseRedisUrl, redisUser, say);
  const rabbitmq = checkBroker("exchange.rabbitmq", exchange.rabbitmq, parseRabbitmqUrl, rabbitmqUser, say);
  const places = redis.map((address) => JSON.stringify([address.hosts, address.master, address.db]));
  const twice = places.findIndex((place, i) => places.indexOf(place) < i);
  if (twice !== -1) say("error", "exchange.redis", `the ${ordinal(twice)} address is there twice; each shares the load once`);
  const secure = [...(redisUser === undefined ? [] : redis), ...(rabbitmqUser === undefined ? [] : rabbitmq)].some(({ tls }) => tls);
  const [given] = Object.entries(exchange.tls ?? {}).find(([, path]) => path !== "") ?? [];
  if (given !== undefined && !secure) say("warning", `exchange.tls.${given}`, "is not used: no address in use begins with rediss or amqps");
}

/** Answers the addresses that can be read. One that nothing uses is only a warning: files hold both brokers' and switch between them. */
function checkBroker<T>(key: string, addresses: readonly string[], parse: (text: string) => T, usedBy: string | undefined, say: Say): T[] {
  if (addresses.length === 0 && usedBy !== undefined) say("error", key, `is missing; ${usedBy} needs it`);
  return addresses.flatMap((address, i) => {
    try {
      return [parse(address)];
    } catch (error) {
      const which = addresses.length > 1 ? `the ${ordinal(i)} address ` : "";
      say(usedBy === undefined ? "warning" : "error", key, which + (error as Error).message);
      return [];
    }
  });
}

function checkTls({ tls, exchange }: Config, say: Say): void {
  checkKeyPair("tls", tls, say);
  checkKeyPair("exchange.tls", exchange.tls, say);
}

function checkKeyPair(section: string, files: TlsFiles | undefined, say: Say): void {
  if (files === undefined || (files.cert === "") === (files.key === "")) return;
  const [given, missing] = files.cert === "" ? ["key", "cert"] : ["cert", "key"];
  say("error", `${section}.${missing}`, `is missing; ${section}.${given} needs it`);
}

function checkInternal({ listen, internal }: Config, say: Say): void {
  const clash = internal.enabled && internal.explicit && internal.port !== 0 && internal.port === listen.port;
  if (!clash) return;
  const hosts = [listen.host, internal.host];
  if (listen.host === internal.host || hosts.includes("0.0.0.0") || hosts.includes("::")) say("error", "internal.port", "is the port of host; choose another");
}

function checkLimits({ limits }: Config, say: Say): void {
  if (limits.headersTimeoutMs > limits.requestTimeoutMs) {
    say("error", "limits.request_timeout_seconds", "must not be less than limits.headers_timeout_seconds: it holds the headers' time too");
  }
  if (limits.outboxBytes < limits.frameBytes) {
    say("warning", "limits.outbox_bytes", "is less than limits.frame_bytes: the largest frames close whoever receives them");
  }
}

function checkRebalance({ exchange, rebalance }: Config, say: Say): void {
  if (rebalance.enabled && exchange.type === "local") say("warning", "rebalance.enabled", "does nothing with exchange.type local: there is one node");
}
