// `xlvein print-config`: the configuration in force, who gave each key its value, and no secret.
import type { Command } from "commander";
import { Document, isCollection, isScalar, type Node } from "yaml";
import { formatOrigin } from "../config/entry.ts";
import type { LoadedConfig } from "../config/load.ts";
import { maskValue } from "../config/mask.ts";
import type { Io } from "./io.ts";
import { addConfigOption, type ConfigOption, readConfig } from "./settings.ts";

interface PrintOptions extends ConfigOption {
  json?: true;
}

/** Adds the command; it ends with exit code 1 when the configuration cannot be used. */
export function addPrintConfig(program: Command, io: Io): void {
  addConfigOption(program.command("print-config").description("print the configuration in force and where each value comes from; secrets are masked"))
    .option("--json", "print {file, config, origin}")
    .addHelpText("after", "\nApplications of applications_file and applications_dir are not shown: check-config reads them.")
    .action(({ json, ...options }: PrintOptions) => {
      const loaded = readConfig(options, io);
      io.out(json ? JSON.stringify(toJson(loaded), null, 2) : toYaml(loaded));
    });
}

type Tree = { [key: string]: unknown };

function toJson(loaded: LoadedConfig): { file: string | null; config: Tree; origin: Record<string, string> } {
  const origin = Object.fromEntries([...loaded.origin].map(([key, from]) => [key, formatOrigin(from)]));
  return { file: loaded.file ?? null, config: toTree(loaded), origin };
}

/** The configuration file that would give the same values, with the origins as comments. */
function toYaml(loaded: LoadedConfig): string {
  const document = new Document(toTree(loaded));
  for (const [key, from] of loaded.origin) {
    const node = document.getIn(key.split("."), true) as Node | undefined;
    if (isScalar(node) || (isCollection(node) && node.items.length === 0)) node.comment = ` ${formatOrigin(from)}`;
    else if (isCollection(node)) node.commentBefore = ` ${formatOrigin(from)}`;
  }
  document.commentBefore = ` ${loaded.file ?? "no file"}`;
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function toTree({ values }: LoadedConfig): Tree {
  const tree: Tree = {};
  for (const [key, value] of values) {
    const sections = key.split(".");
    const name = sections.pop() ?? key;
    let node = tree;
    for (const section of sections) {
      node[section] ??= {};
      node = node[section] as Tree;
    }
    node[name] = maskValue(key, value);
  }
  return tree;
}
