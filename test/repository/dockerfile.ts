// Reads the Dockerfile: its stages and their instructions.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./sources.ts";

export interface Instruction {
  /** In capitals: RUN, COPY, … */
  readonly name: string;
  readonly value: string;
}

export interface Stage {
  /** After AS; "" for the last. */
  readonly name: string;
  /** The image or stage it starts from, with `ARG` defaults of the file's head filled in. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** The stages, in order; comments are dropped and continued lines joined. */
export function readDockerfile(text = readFileSync(join(ROOT, "Dockerfile"), "utf8")): Stage[] {
  const defaults = new Map<string, string>();
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const { name, value } of instructions(text)) {
    const stage = stages.at(-1);
    if (name === "FROM") {
      const [base = "", , as = ""] = value.split(/\s+/);
      stages.push({ name: as, base: base.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => defaults.get(key) ?? ""), instructions: [] });
    } else if (stage) stage.instructions.push({ name, value });
    else if (name === "ARG") defaults.set(...(value.split("=", 2) as [string, string]));
    else throw new Error(`Dockerfile: ${name} before the first FROM`);
  }
  return stages;
}

function instructions(text: string): Instruction[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  return lines
    .map((line) => /^(\w+)\s+(.*)$/.exec(line.trim()))
    .flatMap((found) => (found ? [{ name: (found[1] ?? "").toUpperCase(), value: (found[2] ?? "").replaceAll(/\s+/g, " ") }] : []));
}

/** The values of every instruction of that name. */
export function valuesOf(stage: Stage | undefined, name: string): string[] {
  return (stage?.instructions ?? []).filter((instruction) => instruction.name === name).map(({ value }) => value);
}
