// Checks what no key can say alone: which values go together.
import { parseRabbitmqUrl, parseRedisUrl } from "./broker-url.ts";
import type { Config, Finding } from "./config.ts";
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
  return findings;
}

type Say = (severity: Finding["severity"], key: string, message: string) => void;

function checkStore({ exchange, store }: Config, say: Say): void {
  const allowed = STORES[exchange.type];
  if (!allowed.includes(store.type)) say("error", "store.type", `${store.type} does not go with exchange.type ${exchange.type}; use ${allowed.join(" or ")}`);
}

function checkBrokers({ exchange, store }: Config, say: Say): void {
  const redisUser = exchange.type === "redis" ? "exchange.type" : store.type === "redis" ? "store.type" : undefined;
  checkBroker("exchange.redis", exchange.redis, parseRedisUrl, redisUser, say);
  checkBroker("exchange.rabbitmq", exchange.rabbitmq, parseRabbitmqUrl, exchange.type === "rabbitmq" ? "exchange.type" : undefined, say);
}

/** An address that nothing uses is only a warning: files hold both brokers' and switch between them. */
function checkBroker(key: string, address: string, parse: (text: string) => unknown, usedBy: string | undefined, say: Say): void {
  if (address === "") {
    if (usedBy !== undefined) say("error", key, `is missing; ${usedBy} needs it`);
    return;
  }
  try {
    parse(address);
  } catch (error) {
    say(usedBy === undefined ? "warning" : "error", key, (error as Error).message);
  }
}

function checkTls({ tls }: Config, say: Say): void {
  if (tls === undefined || (tls.cert !== "" && tls.key !== "")) return;
  const [given, missing] = tls.cert === "" ? ["tls.key", "tls.cert"] : ["tls.cert", "tls.key"];
  say("error", missing, `is missing; ${given} needs it`);
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
