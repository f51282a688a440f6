// Loads the applications from every place that the configuration names, and again when one of them changes. A bad set never replaces a good one.
import type { Config, Finding } from "../config/config.ts";
import { findAccess, type KubernetesAccess } from "../kubernetes/access.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { findPlaces } from "./places.ts";
import type { AppSet } from "./registry.ts";
import { createReloader, type Reloader } from "./reload.ts";
import { createRestartNotice } from "./restart.ts";
import { warnSampleSecret } from "./sample.ts";
import { watchPlaces } from "./watch.ts";

/** What a source needs of the process around it. */
export interface AppSourceOptions {
  config: Pick<Config, "applications" | "applicationsFrom" | "applicationsFile" | "applicationsDir" | "applicationsSecret" | "listen">;
  /** The configuration file that was read: it is read again for its `applications`. */
  configFile?: string | undefined;
  /** Tells whether XLVEIN_APPLICATIONS stands above the file, where `config.applicationsFrom` does not, and where the Kubernetes API is. */
  env?: Readonly<Record<string, string | undefined>>;
  log: Log;
  /** Findings name files relative to it; the process's working directory by default. */
  cwd?: string;
  now?: () => number;
  /** The Kubernetes API, for `applicationsSecret`; found in `env` by default. */
  kubernetes?: KubernetesAccess;
  /** See `watchPlaces`. */
  settleMs?: number;
  pollMs?: number;
}

/** The metrics that tell the outcome of loads. */
export type ReloadMetrics = Pick<Metrics, "configInfo" | "configReloadSuccessful" | "configReloadTime" | "configSourceUp">;

/** The applications of a server, wherever they are kept. */
export interface AppSource {
  /** The first set. Rejects with a ConfigError that holds every fault and every warning. */
  load(): Promise<AppSet>;
  /** Reads every place again, changed or not; who watches is told of a new set. Resolves with whether what was read is in force. */
  reload(): Promise<boolean>;
  /**
   * Follows the places, changes since `load` included: `onSet` for each new sound set, `onError` for each that was refused (it has been logged).
   * Returns a function that stops.
   */
  watch(onSet: (set: AppSet) => void, onError?: (findings: readonly Finding[]) => void): () => void;
  /** Shows the outcome of every load in these metrics, the last one's at once. */
  report(metrics: ReloadMetrics): void;
}

interface Listener {
  onSet: (set: AppSet) => void;
  onError: (findings: readonly Finding[]) => void;
}

/** Creates the source of a server's applications; nothing is read before `load`. */
export function createAppSource(options: AppSourceOptions): AppSource {
  const { config, log, now = Date.now } = options;
  const listeners = new Set<Listener>();
  const changedKeys = createRestartNotice();
  let metrics: ReloadMetrics | undefined;
  const places = findPlaces({
    config: { ...config, applicationsFrom: standsAbove(options) },
    configFile: options.configFile,
    cwd: options.cwd ?? process.cwd(),
    log,
    kubernetes: () => options.kubernetes ?? findAccess(options.env ?? {}),
  });
  const reloader = createReloader({
    places,
    now,
    onTaken({ set, warnings }, snapshots) {
      for (const finding of [...warnings, ...warnSampleSecret(set, config.listen)]) logFinding(log, finding);
      const keys = changedKeys(snapshots[0]?.document);
      if (keys.length > 0) log.warn({ event: "restart needed", keys, message: "these keys changed in the configuration file; a restart applies them" });
      for (const { onSet } of listeners) onSet(set);
    },
    onRefused(findings) {
      for (const finding of findings) logFinding(log, finding);
      log.error({ event: "applications refused", revision: reloader.set?.revision, message: "the applications in force stay" });
      for (const { onError } of listeners) onError(findings);
    },
  });
  const onUp = (source: string, up: boolean) => metrics?.configSourceUp.set({ source }, up ? 1 : 0);
  const look = async (forced: boolean): Promise<boolean> => {
    const good = await reloader.look(forced);
    if (metrics) show(reloader, metrics);
    return good;
  };

  return {
    async load() {
      await look(true);
      if (!reloader.set) throw new Error("a load that did not fail brought no set");
      return reloader.set;
    },
    reload: () => look(true),
    watch(onSet, onError = () => undefined) {
      const listener = { onSet, onError };
      listeners.add(listener);
      const onChange = () => void look(false);
      const changing = places.flatMap(({ watch }) => watch ?? []);
      const stops = places.flatMap((place) => place.follow?.({ onChange, onUp }) ?? []);
      if (changing.length > 0) stops.push(watchPlaces({ ...options, places: changing, onChange }));
      return () => {
        listeners.delete(listener);
        for (const stop of stops) stop();
      };
    },
    report(target) {
      metrics = target;
      if (reloader.set) show(reloader, target);
    },
  };
}

function standsAbove({ config, env }: AppSourceOptions): NonNullable<Config["applicationsFrom"]> {
  return config.applicationsFrom ?? (env?.XLVEIN_APPLICATIONS ? "environment" : "file");
}

function show({ good, takenAtMs, set }: Reloader, metrics: ReloadMetrics): void {
  metrics.configReloadSuccessful.set(good ? 1 : 0);
  metrics.configReloadTime.set(takenAtMs / 1000);
  metrics.configInfo.reset();
  metrics.configInfo.set({ revision: set?.revision ?? "" }, 1);
}

/** A finding as a log line: an error or a warning with its place. */
export function logFinding(log: Log, { severity, source, line, key, message, suggestion }: Finding): void {
  const where = line === undefined ? source : `${source}:${line}`;
  const fields = { event: "configuration", where, key, message, ...(suggestion === undefined ? {} : { suggestion }) };
  if (severity === "error") log.error(fields);
  else log.warn(fields);
}
