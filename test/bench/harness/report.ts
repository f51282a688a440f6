// The results as a table for the terminal, and as a page that stays in the repository.
import { round } from "./figures.ts";
import { goalText, type Verdict } from "./judge.ts";
import type { Machine } from "./machine.ts";
import { type Outcome, tally } from "./outcome.ts";
import type { Curve } from "./scenario.ts";

/** The lines of one scenario. */
export function outcomeText({ scenario, verdicts, result, failure, seconds }: Outcome): string {
  const lines = [`${scenario.name}: ${scenario.title} (${Math.round(seconds)} s)`];
  if (failure) lines.push(`  FAILED: ${failure.message}`);
  for (const verdict of verdicts)
    lines.push(`  ${stateMark(verdict)} ${verdict.ratio.name.padEnd(62)} ${spread(verdict).padStart(22)}  ${goalText(verdict.ratio)}${noise(verdict)}`);
  for (const { name, value, unit } of result.figures ?? []) lines.push(`         ${name.padEnd(62)} ${String(round(value)).padStart(8)} ${unit}`);
  for (const curve of result.curves ?? []) lines.push(...curveRows(curve).map((row) => `         ${row.map((cell) => cell.padStart(14)).join(" ")}`));
  return lines.join("\n");
}

function stateMark({ state }: Verdict): string {
  return { reached: "reached", passed: "passed ", missed: "MISSED ", broken: "BROKEN ", told: "       " }[state];
}

function spread({ median, least, most }: Verdict): string {
  return `${round(median)} [${round(least)}..${round(most)}]`;
}

function noise({ ratio: { noisy = 0, values } }: Verdict): string {
  return noisy > 0 ? `  noisy: ${noisy} of ${values.length}` : "";
}

/** RESULTS.md: judged ratios first, then each scenario with its figures and curves. */
export function resultsPage(outcomes: readonly Outcome[], machine: Machine, { quick }: { readonly quick: boolean }): string {
  return [
    "<!-- Written by `npm run bench`; not to be edited. -->",
    "# Results of the benchmark",
    "",
    `Every ratio compares two servers that were measured in turns on the same machine: median [least..most] of the repetitions. ${quick ? "A quick run: fewer repetitions and less work; a goal that is missed is shown, and fails the run only where it is broken. " : ""}How it is measured: [docs/benchmarks.md](../../../docs/benchmarks.md).`,
    "",
    ...machineRows(machine),
    "",
    `Goals: ${tally(outcomes)}. A scenario in which a message is lost or comes twice fails, and so does the run.`,
    "",
    "| scenario | ratio | median [least..most] | goal | |",
    "|---|---|---|---|---|",
    ...outcomes.flatMap(judgedRows),
    ...outcomes.flatMap(section),
    "",
  ].join("\n");
}

function machineRows(machine: Machine): string[] {
  return ["| | |", "|---|---|", ...Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |`)];
}

function judgedRows({ scenario, verdicts, failure }: Outcome): string[] {
  if (failure) return [`| ${scenario.name} | | | | **failed**: ${cell(failure.message)} |`];
  const words = (verdict: Verdict) =>
    [verdict.state === "missed" || verdict.state === "broken" ? `**${verdict.state}**` : verdict.state, noise(verdict).trim()].filter(Boolean).join(", ");
  return verdicts
    .filter(({ state }) => state !== "told")
    .map((verdict) => `| ${scenario.name} | ${cell(verdict.ratio.name)} | ${spread(verdict)} | ${goalText(verdict.ratio)} | ${words(verdict)} |`);
}

function section({ scenario, verdicts, result, seconds }: Outcome): string[] {
  const told = verdicts.filter(({ state }) => state === "told");
  const figures = result.figures ?? [];
  return [
    "",
    `## ${scenario.name}`,
    "",
    `${scenario.title} (${Math.round(seconds)} s).`,
    ...(told.length > 0
      ? [
          "",
          "| ratio, told only | median [least..most] |",
          "|---|---|",
          ...told.map((verdict) => `| ${cell(verdict.ratio.name)} | ${spread(verdict)}${noise(verdict)} |`),
        ]
      : []),
    ...(figures.length > 0
      ? ["", "| figure of this machine | |", "|---|---|", ...figures.map(({ name, value, unit }) => `| ${cell(name)} | ${round(value)} ${unit} |`)]
      : []),
    ...(result.curves ?? []).flatMap(curveSection),
  ];
}

function curveSection(curve: Curve): string[] {
  const [head = [], ...rows] = curveRows(curve);
  const table = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |`);
  return ["", `![${curve.title}](${curve.name}.svg)`, "", ...table];
}

/** Head and body of the curve as a table; what a line lacks stays empty. */
function curveRows({ x, lines }: Curve): string[][] {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(([px]) => px)))].sort((a, b) => a - b);
  return [
    [x, ...lines.map(({ name }) => name)],
    ...xs.map((px) => [String(px), ...lines.map(({ points }) => String(round(points.find((point) => point[0] === px)?.[1] ?? Number.NaN)).replace("NaN", ""))]),
  ];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
