// `npm run bench:exchange [-- --short] [--only=latency,throughput,…] [--against=…/server/bin/xlvein.js]`: measures, prints a table, judges nothing.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { hotPath } from "./hot-path.ts";
import { latency } from "./latency.ts";
import type { Row, Scale } from "./report.ts";
import { resubscribe } from "./resubscribe.ts";
import { routing } from "./routing.ts";
import { throughput } from "./throughput.ts";

const SCENARIOS: Readonly<Record<string, (scale: Scale) => Promise<Row[]>>> = { latency, throughput, routing, resubscribe, "hot-path": hotPath };

const { values } = parseArgs({ options: { short: { type: "boolean", default: false }, only: { type: "string" }, against: { type: "string" } } });
const scale: Scale = values.short
  ? { pushes: 3_000, alone: 300, timed: 1_000, rounds: 1, accounts: 10_000, against: values.against }
  : { pushes: 10_000, alone: 1_000, timed: 4_000, rounds: 3, accounts: 100_000, against: values.against };
const names = values.only?.split(",") ?? Object.keys(SCENARIOS);

for (const name of names) {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`there is no ${name}; there is ${Object.keys(SCENARIOS).join(", ")}`);
  const started = performance.now();
  const rows = await scenario(scale);
  console.log(`\n${name} (${Math.round((performance.now() - started) / 1_000)} s, load ${loadavg()[0]?.toFixed(1)})`);
  for (const { name: what, value, ratio, goal } of rows)
    console.log(`  ${what.padEnd(62)} ${value.padStart(28)} ${String(ratio ?? "").padStart(8)} ${goal ?? ""}`);
}
process.exit();
