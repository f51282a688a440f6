// What is made of many figures.

/** The nearest of the sorted values; NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The nearest of the sorted values; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Three figures that matter. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
