// Keeps the results of a run: the page and a drawing for each curve.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Machine } from "./machine.ts";
import type { Outcome } from "./outcome.ts";
import { curveSvg } from "./plot.ts";
import { resultsPage } from "./report.ts";

/** Replaces everything of an earlier run in `directory`. */
export async function save(directory: string, outcomes: readonly Outcome[], machine: Machine, options: { readonly quick: boolean }): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const file of await readdir(directory)) if (file.endsWith(".svg")) await rm(join(directory, file));
  for (const curve of outcomes.flatMap(({ result }) => result.curves ?? [])) await writeFile(join(directory, `${curve.name}.svg`), curveSvg(curve));
  await writeFile(join(directory, "RESULTS.md"), resultsPage(outcomes, machine, options));
}
