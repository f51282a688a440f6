// The places that applications come from: the configuration, a file of their own, a directory. Each is read whole, every time.
import { basename, dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import { type ConfigDocument, readDocument } from "../config/document.ts";
import { displayName } from "../config/file.ts";
import type { KubernetesAccess } from "../kubernetes/access.ts";
import type { Log } from "../log.ts";
import { parseApplications } from "./parse.ts";
import { secretPlace } from "./secret-place.ts";
import { nothingIn, type Place, readBytes, readSetFile, snapshotOf, throwSyntax } from "./snapshot.ts";
import type { WatchPlace } from "./watch.ts";

/** What names the places. */
export interface PlacesOptions {
  config: Pick<Config, "applications" | "applicationsFrom" | "applicationsFile" | "applicationsDir" | "applicationsSecret">;
  configFile: string | undefined;
  cwd: string;
  log: Log;
  /** Finds the API for `applicationsSecret`, or throws a sentence. Without it the API is not asked. */
  kubernetes?: (() => KubernetesAccess) | undefined;
}

/** Every place that the configuration names. */
export function findPlaces({ config, configFile, cwd, log, kubernetes }: PlacesOptions): Place[] {
  const above = config.applicationsFrom === "environment" || config.applicationsFrom === "flags";
  const places = [configFile === undefined || above ? fixedPlace(config) : configPlace(configFile, cwd)];
  if (config.applicationsFile !== "") places.push(filePlace(config.applicationsFile, cwd));
  const mount = config.applicationsDir === "" ? undefined : { directory: config.applicationsDir, name: displayName(config.applicationsDir, cwd) };
  if (config.applicationsSecret !== "") places.push(secretPlace({ name: config.applicationsSecret, mount, kubernetes, log }));
  else if (mount) places.push(directoryPlace(mount.directory, mount.name));
  return places;
}

function fixedPlace({ applications, applicationsFrom = "default" }: PlacesOptions["config"]): Place {
  const name = applicationsFrom === "default" ? "configuration" : applicationsFrom;
  return { name, read: async () => ({ text: "", parse: (now) => parseApplications(applications, { source: name, now, path: ["applications"] }) }) };
}

/** The key `applications` of the configuration file. */
function configPlace(file: string, cwd: string): Place {
  const name = displayName(file, cwd);
  return {
    name,
    watch: watchFile(file),
    async read() {
      const text = (await readBytes(file, name, "file")).toString();
      const document = readDocument(text, name);
      const applications = keyOf(document, "applications") ?? [];
      return {
        text,
        document: document.value,
        parse(now) {
          throwSyntax(document);
          return parseApplications(applications, { source: name, now, path: ["applications"], line: document.line });
        },
      };
    },
  };
}

function filePlace(file: string, cwd: string): Place {
  const name = displayName(file, cwd);
  return {
    name,
    watch: watchFile(file),
    read: async () => snapshotOf(await readBytes(file, name, "applications_file"), name),
  };
}

function directoryPlace(directory: string, name: string): Place {
  return {
    name,
    watch: { directory },
    async read() {
      const held = await readSetFile(directory, name);
      return held === undefined ? nothingIn(name, "applications_dir") : snapshotOf(held.content, join(name, held.file));
    },
  };
}

function keyOf({ value }: ConfigDocument, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

/** The directory is watched, because a watch of the file ends when an editor replaces it. `..data`: a mounted ConfigMap or Secret. */
function watchFile(file: string): WatchPlace {
  return { directory: dirname(file), names: [basename(file), "..data"] };
}
