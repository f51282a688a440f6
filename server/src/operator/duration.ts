// Durations as Kubernetes' resources spell them.

const MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `90m`, `1h30m` in milliseconds. Throws on anything else: the resource's schema lets nothing else through. */
export function parseSpan(text: string): number {
  if (!/^(\d+[smh])+$/.test(text)) throw new Error(`${JSON.stringify(text)} is no duration such as 1h30m`);
  return [...text.matchAll(/(\d+)([smh])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (MS[unit ?? ""] ?? 0), 0);
}
