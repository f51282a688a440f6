// The configuration as every command finds it, and the flags that stand above it.
import { type Command, InvalidArgumentError } from "commander";
import { ConfigError, formatFinding, type ListenAddress } from "../config/config.ts";
import type { Flags } from "../config/flags.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { CliError, Exit, type Io } from "./io.ts";

export interface ConfigOption {
  config?: string;
}

/** `--config`, for a command that reads the configuration. */
export function addConfigOption(command: Command): Command {
  return command.option("-c, --config <file>", "the configuration (default: XLVEIN_CONFIG, else conf.yaml or conf.yml here)");
}

/** Loads the configuration. Throws a CliError that tells every fault; faults of flags alone are a wrong usage. */
export function readConfig({ config: file }: ConfigOption, { env, cwd }: Io, flags: Flags = {}): LoadedConfig {
  try {
    return loadConfig({ file, env, cwd, flags });
  } catch (error) {
    throw explainConfig(error);
  }
}

/** A ConfigError as the command line tells it; any other error unchanged. */
export function explainConfig(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const faults = error.findings.filter(({ severity }) => severity === "error");
  const exit = faults.every(({ source }) => source === "flags") ? Exit.USAGE : Exit.FAILURE;
  return new CliError(["the configuration cannot be used", ...faults.map(formatFinding)].join("\n  "), exit);
}

/** Reads `--set key=value`, which may be repeated. */
export function collectSetting(text: string, previous: Flags = {}): Flags {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected a key and a value: limits.connections=5000.");
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

/** How a process on the same machine reaches a listener. Throws when only the server knows the port. */
export function baseUrl(protocol: "http" | "https", { host, port }: ListenAddress): string {
  if (port === 0) throw new CliError("the configuration leaves the port to the system (0): name the server with --url");
  const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `${protocol}://${address}:${port}`;
}
