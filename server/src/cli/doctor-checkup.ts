// `xlvein doctor` without --flow: everything that a configuration needs around it, looked at without changing anything.
import { createServer } from "node:net";
import type { Config } from "../config/config.ts";
import { formatFinding } from "../config/config.ts";
import { surveyRabbitmq } from "../exchange/rabbitmq-survey.ts";
import { surveyRedis } from "../redis/survey.ts";
import { parseObject } from "./call.ts";
import { checkConfig } from "./check-config.ts";
import { ask } from "./doctor-ask.ts";
import type { Report } from "./doctor-report.ts";
import type { Io } from "./io.ts";
import { baseUrl, type ConfigOption, readConfig } from "./settings.ts";

/** Tokens have a leeway of five seconds. */
const SKEW_MS = 2_000;
/** A push waits for the store once or twice. */
const SLOW_MS = 50;

/** Looks at the configuration, the ports and the brokers; the report says what it finds. */
export async function checkUp(options: ConfigOption, io: Io, report: Report): Promise<void> {
  const result = await checkConfig({ file: options.config, strict: false }, io);
  for (const finding of result.findings) (finding.severity === "error" ? report.fail : report.warn)("configuration", formatFinding(finding));
  if (!result.ok) return;
  report.note("configuration", result.file ?? "no file: defaults, environment and flags");
  if (result.applications === 0) report.warn("applications", "none is configured: every client is refused");
  else await report.step("applications", async () => `${result.applications} configured, revision ${result.revision}`);
  const { config } = readConfig(options, io);
  await report.step("clients' port", () => checkPort(config, "listen"));
  if (config.internal.enabled) await report.step("internal port", () => checkPort(config, "internal"));
  if (config.exchange.type === "redis" || config.store.type === "redis") await checkRedis(config, report);
  if (config.exchange.type === "rabbitmq") await checkRabbitmq(config, report);
  if (config.exchange.type === "local") report.note("broker", "none: exchange.type is local, there is one node");
}

/** Free, or served by xlvein. Throws when something else has it. */
async function checkPort(config: Config, which: "listen" | "internal"): Promise<string> {
  const address = config[which];
  if (address.port === 0) return "the system chooses it at start";
  const url = baseUrl(which === "listen" && config.tls ? "https" : "http", address);
  const busy = await bindError(address);
  if (busy === undefined) return `${address.host}:${address.port} is free`;
  if (busy !== "EADDRINUSE") throw new Error(`${address.host}:${address.port} cannot be listened on (${busy})`);
  const served = await isOurs(url, which).catch(() => false);
  if (!served) throw new Error(`${address.host}:${address.port} is in use by another program`);
  return `${url} is served by xlvein`;
}

/** Why the system does not give us a port; `undefined` when it does. */
function bindError({ host, port }: Config["listen"]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}

async function isOurs(url: string, which: "listen" | "internal"): Promise<boolean> {
  if (which === "internal") return (await ask(`${url}/metrics`, { insecure: true })).text.includes("xlvein_build_info");
  // The description of the API is served whatever is switched off.
  const { text } = await ask(`${url}/api/v1/stats`, { insecure: true });
  return typeof parseObject(text).code === "number";
}

async function checkRedis({ exchange }: Config, report: Report): Promise<void> {
  await report.all(async () => {
    let found: Awaited<ReturnType<typeof surveyRedis>> = [];
    await report.need("redis", async () => {
      found = await surveyRedis(exchange.redis, exchange.exchangeName, exchange.tls);
      return found.length === 1 ? "one server is configured" : `${found.length} servers share the load`;
    });
    for (const { name, problem, server, roundTripMs = 0, skewMs = 0, eviction } of found) {
      const title = `redis ${name}`;
      if (problem !== undefined) {
        report.fail(title, problem);
        continue;
      }
      await report.step(title, async () => `${server}, answers in ${roundTripMs.toFixed(1)} ms, its clock is ${skewMs.toFixed(0)} ms from ours`);
      if (Math.abs(skewMs) > SKEW_MS) report.warn(title, "the clocks differ: tokens may count as expired, or as not yet valid; run NTP on both");
      if (roundTripMs > SLOW_MS) report.warn(title, "it is far away: every push waits for it");
      if (eviction !== undefined && eviction !== "noeviction")
        report.warn(title, `maxmemory-policy is ${eviction}: it forgets streams when it is full; set noeviction`);
    }
  });
}

async function checkRabbitmq({ exchange }: Config, report: Report): Promise<void> {
  for (const { name, problem, server } of await surveyRabbitmq(exchange.rabbitmq, exchange.tls)) {
    if (problem === undefined) await report.step(`rabbitmq ${name}`, async () => `${server}`);
    else report.fail(`rabbitmq ${name}`, problem);
  }
}
