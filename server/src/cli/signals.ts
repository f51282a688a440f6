// The life of a serving process: what signals and unexpected errors do to it.
import { constants } from "node:os";
import type { Log } from "../log.ts";

/**
 * In a terminal one Ctrl-C may arrive twice: from the terminal, and from the `npm` that started the command and passes it on.
 * Such a repeat within this time is the same key press.
 */
const SAME_KEY_PRESS_MS = 500;

type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface SignalHandlers {
  /** Ends the work; the process exits 0 when it resolves and 1 when it rejects. Called once. */
  stop(): Promise<void>;
  /** What SIGHUP does. Without it SIGHUP stops, as a closed terminal should. */
  reload?: () => Promise<void>;
  log: Log;
  /** Whether a person at a terminal sends the signals. */
  terminal: boolean;
}

/** Takes the process's signals from now on. A second signal to stop ends it at once with 128 + its number, an unexpected error with 1. */
export function handleSignals({ stop, reload, log, terminal }: SignalHandlers): void {
  let state: "running" | "stopping" = "running";
  let stoppingSince = 0;

  function onStop(signal: StopSignal): void {
    if (state === "stopping") {
      if (terminal && signal === "SIGINT" && Date.now() - stoppingSince < SAME_KEY_PRESS_MS) return;
      log.warn({ event: "second signal", signal, message: "ending at once" });
      process.exit(128 + constants.signals[signal]);
    }
    state = "stopping";
    stoppingSince = Date.now();
    log.info({ event: "signal", signal });
    stop().then(() => process.exit(0), onFatal);
  }

  function onReload(): void {
    log.info({ event: "signal", signal: "SIGHUP" });
    reload?.().catch((error: unknown) => log.error({ event: "reload failed", err: error }));
  }

  function onFatal(error: unknown): never {
    log.fatal({ event: "unexpected error", err: error });
    process.exit(1);
  }

  process.on("SIGTERM", onStop).on("SIGINT", onStop);
  process.on("SIGHUP", reload ? onReload : onStop);
  // Rejections that nobody handles arrive here too.
  process.on("uncaughtException", onFatal);
}
