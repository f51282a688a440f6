// What a close code asks of a client (PROTOCOL.md, "Close codes"): by range, so that codes made later are obeyed too.

/** Come back, `floorMs` from now at the earliest. */
export interface Advice {
  /** The server's own wish in milliseconds: nothing may shorten it. */
  readonly floorMs: number;
  /** Width in milliseconds of the random wait before the first retry; the back-off's own when absent. */
  readonly spreadMs?: number | undefined;
}

/** After a failure nobody explained: back off, no other wish. */
export const RETRY: Advice = { floorMs: 0 };
export const TOKEN_INVALID = 4007;
export const TOKEN_EXPIRED = 4202;

const SLOW_DOWN_MS = 1_000;
/** Hints beyond one hour are cut to it: a wrong digit must not silence a client for ever. */
const MAX_HINT_MS = 3_600_000;

/** Undefined: do not come back. */
export function advise(code: number, reason: string): Advice | undefined {
  const range = (code / 100) | 0;
  if (code === 1000 || range === 40) return undefined;
  // The hint in the reason, `{"retry_after_ms":n}`.
  const hintMs = Number(/"retry_after_ms": *(\d+)/.exec(reason)?.[1] ?? 0);
  return { floorMs: Math.max(range === 41 ? SLOW_DOWN_MS : 0, Math.min(hintMs, MAX_HINT_MS)), spreadMs: range === 42 ? 0 : undefined };
}
