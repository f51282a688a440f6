// One JSON line per event, with secrets, tokens and bodies kept out of it.
import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Paths that never reach a log, at the top or one level down, whatever object is logged. */
const SECRET_FIELDS = ["token", "app_secret", "secret", "secrets", "sign", "password", "authorization", "data", "message_body", "body", "query"];

export interface LogOptions {
  level: LogLevel;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
}

const ignore = () => {};

/** pino's own writer waits for ever at exit when the reader of standard output has gone; Node's stream lets go. */
function standardOutput(): DestinationStream {
  if (!process.stdout.listeners("error").includes(ignore)) process.stdout.on("error", ignore);
  return process.stdout;
}

/** Creates the logger of the process. `time` is ISO 8601, `level` a word. */
export function createLog({ level, destination = standardOutput() }: LogOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map((field) => `*.${field}`), "*.headers", "headers"],
      censor: "[redacted]",
    },
  };
  return pino(options, destination);
}
