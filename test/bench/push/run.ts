// `node test/bench/push/run.ts [--quick] [--against=…/server/bin/xlvein.js]`: pushes for a second of server CPU, beside bare node:http and socket.io. Ends with 1 when a floor is missed.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Row } from "../exchange/report.ts";
import { createStage, median, round } from "../exchange/stage.ts";
import { stayAwake } from "./awake.ts";
import { foreignCores } from "./cpu.ts";
import { bareHttp, ours, type Subject, socketIo } from "./subjects.ts";

/** Work of one for a CPU second of its server, over that of the other. */
interface Ratio {
  readonly of: Subject;
  readonly to: Subject;
  /** The least that is good enough; none where it is only told. */
  readonly floor?: number;
}

/** By how much a floor may be missed in a quick run, where rounds are few. */
const QUICK_SLACK = 0.15;
/** Cores that others may use before a run counts as noisy. */
const NOISY_CORES = 0.3;

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, against: { type: "string" } } });
// Many short rounds, subject after subject: what disturbs one of them disturbs the next as well, or is outvoted.
const [rounds, pushes] = values.quick ? [9, 1_500] : [25, 3_000];
const slack = values.quick ? QUICK_SLACK : 0;

/** µs of each round. */
const costs = new Map<Subject, number[]>();
const stage = createStage();
const endAwake = stayAwake();
let missed: readonly Ratio[];
try {
  const [bare, peer, [single, batch]] = [await bareHttp(stage), await socketIo(stage), await ours(stage, "ours, a token each")];
  const ratios: Ratio[] = [
    { of: single, to: bare, floor: 0.35 },
    { of: single, to: peer, floor: 0.95 },
    { of: batch, to: single, floor: 3 },
    { of: peer, to: bare },
  ];
  if (values.against !== undefined) {
    const [otherSingle, otherBatch] = await ours(stage, "the other build", values.against);
    ratios.push({ of: single, to: otherSingle }, { of: batch, to: otherBatch });
  }
  const foreign = await measure([...new Set(ratios.flatMap(({ of, to }) => [of, to]))]);
  print(ratios.map(toRow), foreign);
  missed = ratios.filter(({ of, to, floor = 0 }) => !(median(perRound(of, to)) >= floor * (1 - slack)));
} finally {
  endAwake();
  await stage.close();
}
for (const { of, to, floor } of missed) console.error(`missed${slack > 0 ? ` by more than ${100 * slack} %` : ""}: ${of.name} / ${to.name} ≥ ${floor}`);
process.exit(missed.length > 0 ? 1 : 0);

/** Answers how many cores others have used meanwhile. */
async function measure(subjects: readonly Subject[]): Promise<number> {
  for (const subject of subjects) {
    costs.set(subject, []);
    await subject.measure(10 * pushes);
  }
  const readForeign = await foreignCores(subjects.map(({ pid }) => pid));
  for (let nth = 0; nth < rounds; nth++) for (const subject of subjects) costs.get(subject)?.push(await subject.measure(pushes));
  return readForeign();
}

function perRound(of: Subject, to: Subject): number[] {
  return (costs.get(of) ?? []).map((us, nth) => (costs.get(to)?.[nth] ?? Number.NaN) / us);
}

function toRow({ of, to, floor }: Ratio): Row {
  const ratios = perRound(of, to);
  const value = `[${round(Math.min(...ratios))}..${round(Math.max(...ratios))}]`;
  return { name: `${of.name} / ${to.name}`, value, ratio: round(median(ratios)), goal: floor === undefined ? "" : `≥ ${floor}` };
}

function print(rows: readonly Row[], foreign: number): void {
  const noise = foreign > NOISY_CORES ? `; noisy: others used ${round(foreign)} cores` : "";
  console.log(`push: median [min..max] of ${rounds} rounds of ${pushes}, every message received once (load ${loadavg()[0]?.toFixed(1)}${noise})`);
  for (const { name, value, ratio, goal } of rows) console.log(`  ${name.padEnd(70)} ${String(ratio).padStart(6)} ${value.padEnd(16)} ${goal}`);
}
