// Subjects measured in turns, A B C, C B A, A B C …: what disturbs one of them disturbs the next as well, so their ratio stays true.
import { spareMs } from "./awake.ts";
import { cpuNs, foreignCores } from "./cpu.ts";
import { median, round } from "./figures.ts";
import type { Context, Figure, Goal, Ratio } from "./scenario.ts";

/** One side of comparisons. */
export interface Subject {
  readonly name: string;
  /** The server's processes, brokers included: they count as the server, everybody else but the generator as a disturbance. */
  readonly pids: readonly number[];
  /** Does one repetition's work; answers what is compared: work for a second of server CPU, µs for each, bytes … Rejects when a message was lost or came twice. */
  measure(): Promise<number>;
}

export interface Measured {
  /** One for each repetition. */
  of(subject: Subject): readonly number[];
  /** `subject / reference`, repetition by repetition. Where less is better (µs, bytes), say so: `inverse` answers reference / subject. */
  ratios(subject: Subject, reference: Subject, inverse?: "inverse"): number[];
  /** Ready for a scenario's result. */
  ratio(name: string, subject: Subject, reference: Subject, goal?: Goal, inverse?: "inverse"): Ratio;
  /** Repetitions that were disturbed; in a full run tried again twice, and disturbed again. */
  readonly noisy: number;
  /** Cores that others, the generator and the measured servers used: medians of the repetitions kept. Shows that the generator is not the limit. */
  readonly figures: readonly Figure[];
}

export interface Effort {
  readonly foreign: number;
  readonly generator: number;
  readonly servers: number;
}

/** Cores that others may use on average before a repetition counts as noisy. */
export const NOISY_CORES = 0.3;
/** How often a noisy repetition is tried again in a full run. */
const RETRIES = 2;
/** So many repetitions that stay noisy one after the other show that trying again is of no use. */
const HOPELESS = 2;

/** 3 in a quick run, else 5. */
export function repetitionsOf({ quick }: Pick<Context, "quick">): number {
  return quick ? 3 : 5;
}

/** Measures every subject once to warm up (`warmUp: false` leaves it out), then `repetitions` times in turns. */
export async function interleave(
  context: Pick<Context, "quick" | "progress">,
  subjects: readonly Subject[],
  { repetitions = repetitionsOf(context), warmUp = true, watch = watchEffort }: { repetitions?: number; warmUp?: boolean; watch?: typeof watchEffort } = {},
): Promise<Measured> {
  if (warmUp) for (const subject of subjects) await subject.measure();
  const values = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  const efforts: Effort[] = [];
  let [noisy, hopeless] = [0, 0];
  // A quick run is for machines that others use as well.
  const retries = context.quick ? 0 : RETRIES;
  for (let nth = 0; nth < repetitions; nth++) {
    const once = () => repeat(nth % 2 === 0 ? subjects : subjects.toReversed(), watch);
    let best = await once();
    for (let again = 0; isNoisy(best) && again < retries && hopeless < HOPELESS; again++) {
      const next = await once();
      if (next.effort.foreign < best.effort.foreign) best = next;
    }
    hopeless = isNoisy(best) ? hopeless + 1 : 0;
    if (isNoisy(best)) noisy++;
    for (const [subject, value] of best.values) values.get(subject)?.push(value);
    efforts.push(best.effort);
    context.progress(`${nth + 1} of ${repetitions}${isNoisy(best) ? `, noisy: others used ${round(best.effort.foreign)} cores` : ""}`);
  }
  return measured(values, efforts, noisy);
}

interface Repetition {
  readonly values: ReadonlyMap<Subject, number>;
  readonly effort: Effort;
}

const isNoisy = ({ effort }: Repetition): boolean => effort.foreign > NOISY_CORES;

async function repeat(subjects: readonly Subject[], watch: typeof watchEffort): Promise<Repetition> {
  const effort = await watch(subjects.flatMap(({ pids }) => pids));
  const values = new Map<Subject, number>();
  for (const subject of subjects) values.set(subject, await subject.measure());
  return { values, effort: await effort() };
}

/** Starts to watch; the function returned answers the cores used on average since, by others, by this process, by the given ones together. */
export async function watchEffort(pids: readonly number[]): Promise<() => Promise<Effort>> {
  const all = [...new Set(pids)].filter((pid) => pid !== process.pid);
  const servers = async () => (await Promise.all(all.map(cpuNs))).reduce((sum, ns) => sum + ns, 0);
  const generator = async () => (await cpuNs(process.pid)) - spareMs() * 1_000_000;
  const [foreign, before, own, start] = [await foreignCores(all), await servers(), await generator(), performance.now()];
  return async () => {
    const ns = (performance.now() - start) * 1_000_000;
    return { foreign: await foreign(), generator: Math.max(0, (await generator()) - own) / ns, servers: ((await servers()) - before) / ns };
  };
}

function measured(values: ReadonlyMap<Subject, readonly number[]>, efforts: readonly Effort[], noisy: number): Measured {
  const of = (subject: Subject) => values.get(subject) ?? [];
  const ratios: Measured["ratios"] = (subject, reference, inverse) => {
    const other = of(reference);
    return of(subject).map((value, nth) => (inverse ? (other[nth] ?? Number.NaN) / value : value / (other[nth] ?? Number.NaN)));
  };
  const cores = (who: keyof Effort) => ({ name: `cores: ${who}`, value: round(median(efforts.map((effort) => effort[who]))), unit: "cores" });
  return {
    of,
    ratios,
    ratio: (name, subject, reference, goal, inverse) => ({ name, values: ratios(subject, reference, inverse), noisy, ...(goal ? { goal } : {}) }),
    noisy,
    figures: [cores("servers"), cores("generator"), cores("foreign")],
  };
}
