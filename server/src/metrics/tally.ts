// Counters and histograms that cost a push next to nothing: plain additions, put into prom-client's shape when somebody reads.
import type { Counter, Histogram, Registry } from "prom-client";

interface Description {
  readonly name: string;
  readonly help: string;
}

/** A label value for each name; `undefined` for a metric without labels. */
type Labels<L extends string> = [L] extends [never] ? undefined : Readonly<Record<L, string>>;

/** One series of a counter. */
export interface Series {
  /** Adds `by`, 1 by default. Throws RangeError unless it is a number from 0 up. */
  inc(by?: number): void;
}

class CountedSeries implements Series {
  readonly labels: Readonly<Record<string, string>>;
  /** `undefined`: nothing has been counted, and the series is not shown. */
  value: number | undefined;

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }

  inc(by = 1): void {
    if (!(by >= 0 && by < Number.POSITIVE_INFINITY)) throw new RangeError(`a counter cannot grow by ${by}`);
    this.value = (this.value ?? 0) + by;
  }
}

/** Series by the value of their first label, those by that of their second, and so on. */
type Level = Map<string, Level | CountedSeries>;

/** A counter with a series for each combination of label values that was ever counted; without labels it starts at 0. */
export class TallyCounter<L extends string = never> {
  readonly type = "counter";
  readonly aggregator = "sum";
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  /** Found label by label: a key made of all values would cost a push more than the counting. */
  readonly #first: Level = new Map();
  readonly #all: CountedSeries[] = [];

  constructor({ name, help }: Description, labelNames: readonly L[]) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.reset();
  }

  /** Without labels `inc(by)`, with labels `inc({…}, by)`. */
  inc(...args: [L] extends [never] ? [by?: number] : [labels: Labels<L>, by?: number]): void;
  inc(labelsOrBy?: Readonly<Record<string, string>> | number, by?: number): void {
    if (typeof labelsOrBy === "object") this.#find(labelsOrBy).inc(by);
    else this.#find(undefined).inc(labelsOrBy);
  }

  /** One series, for who counts in it often; it stays one after `reset`. */
  labels(labels: Labels<L>): Series {
    return this.#find(labels);
  }

  /** What the registry reads. */
  async get() {
    const { name, help, type, aggregator } = this;
    const values = this.#all.flatMap(({ labels, value }) => (value === undefined ? [] : { labels, value }));
    return { name, help, type, aggregator, values };
  }

  reset(): void {
    for (const series of this.#all) series.value = undefined;
    if (this.labelNames.length === 0) this.#find(undefined).value = 0;
  }

  #find(labels: Readonly<Record<string, string>> | undefined): CountedSeries {
    let level = this.#first;
    const last = this.labelNames.length - 1;
    for (let i = 0; i < last; i++) {
      const value = String(labels?.[this.labelNames[i] as string]);
      let next = level.get(value) as Level | undefined;
      if (!next) {
        next = new Map();
        level.set(value, next);
      }
      level = next;
    }
    const value = last < 0 ? "" : String(labels?.[this.labelNames[last] as string]);
    return (level.get(value) as CountedSeries | undefined) ?? this.#add(level, value, labels);
  }

  #add(level: Level, value: string, labels: Readonly<Record<string, string>> | undefined): CountedSeries {
    const series = new CountedSeries(labels === undefined ? {} : { ...labels });
    level.set(value, series);
    this.#all.push(series);
    return series;
  }
}

/** A histogram without labels. */
export class TallyHistogram {
  readonly type = "histogram";
  readonly aggregator = "sum";
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[] = [];
  readonly #bounds: readonly number[];
  /** One for each bound, and one for what is above all of them; not cumulative. */
  readonly #counts: Float64Array;
  #sum = 0;

  /** `bounds` ascend. */
  constructor({ name, help }: Description, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Throws RangeError when the value is not finite. */
  observe(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`a histogram cannot observe ${value}`);
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  /** What the registry reads. */
  async get() {
    const { name, help, type, aggregator } = this;
    let count = 0;
    const buckets = [...this.#bounds, "+Inf"].map((le, i) => {
      count += this.#counts[i] as number;
      return { labels: { le }, value: count, metricName: `${name}_bucket` };
    });
    const totals = [
      { labels: {}, value: this.#sum, metricName: `${name}_sum` },
      { labels: {}, value: count, metricName: `${name}_count` },
    ];
    return { name, help, type, aggregator, values: [...buckets, ...totals] };
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }
}

/** Adds a tally to a registry, which reads name, help, type and `get()` of its metrics. */
export function register<T extends TallyCounter<string> | TallyCounter | TallyHistogram>(registry: Registry, tally: T): T {
  registry.registerMetric(tally as unknown as Counter | Histogram);
  return tally;
}
