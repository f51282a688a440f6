// `xlvein health`: asks a running server how it is; made for a container's health check.
import type { Command } from "commander";
import { call } from "./call.ts";
import { CliError, type Io } from "./io.ts";
import { addConfigOption, baseUrl, type ConfigOption, readConfig } from "./settings.ts";
import { parseDuration } from "./values.ts";

const DEFAULT_TIMEOUT_SECONDS = 3;

interface HealthOptions extends ConfigOption {
  url?: string;
  ready?: true;
  timeout: number;
  json?: true;
}

export function addHealth(program: Command, io: Io): void {
  addConfigOption(program.command("health").description("ask the internal listener of a server on this machine how it is"))
    .option("--url <url>", "the internal listener (default: from the configuration, http://127.0.0.1:8091)")
    .option("--ready", "ask whether it wants traffic (/readyz) instead of whether it lives (/livez)")
    .option("--timeout <duration>", "how long to wait", parseDuration, DEFAULT_TIMEOUT_SECONDS)
    .option("--json", "print {ok, url, status, body}")
    .action(async ({ ready, timeout, json, ...options }: HealthOptions) => {
      const url = new URL(ready ? "/readyz?verbose" : "/livez", options.url ?? (await internalUrl(options, io))).href;
      const { status, text } = await call(url, {}, timeout * 1000);
      const ok = status === 200;
      io.out(json ? JSON.stringify({ ok, url, status, body: text.trim() }) : text.trim());
      if (!ok) throw new CliError(`${url} answered ${status}`);
    });
}

async function internalUrl(options: ConfigOption, io: Io): Promise<string> {
  const { config } = await readConfig(options, io);
  if (!config.internal.enabled) throw new CliError("internal.enabled is false: there is no listener to ask");
  return baseUrl("http", config.internal);
}
