// What a close code asks of a client (PROTOCOL.md, "Close codes"): by range, so that codes made later are obeyed too.

/** Come back, `floorMs` from now at the earliest. */
export interface Advice {
  /** The server's own wish in milliseconds: nothing may shorten it. */
  readonly floorMs: number;
  /** Width in milliseconds of the random wait before the first retry; the back-off's own when absent. */
  readonly spreadMs?: number;
  /** The token cannot be used again. */
  readonly freshToken?: boolean;
}

/** After a failure nobody explained: back off, no other wish. */
export const RETRY: Advice = { floorMs: 0 };

const SLOW_DOWN_MS = 1_000;
/** After 1012: closes are spread by the server already, this only separates neighbours. */
const RESTART_SPREAD_MS = 500;
/** Hints beyond one hour are cut to it: a wrong digit must not silence a client for ever. */
const MAX_HINT_MS = 3_600_000;

/** Undefined: do not come back. */
export function advise(code: number, reason: string): Advice | undefined {
  if (code === 1000 || (code >= 4000 && code < 4100)) return undefined;
  if (code >= 4200 && code < 4300) return { floorMs: hintMs(reason), spreadMs: 0, freshToken: code === 4202 };
  if (code === 1012) return { floorMs: hintMs(reason), spreadMs: RESTART_SPREAD_MS };
  const slowDown = (code >= 4100 && code < 4200) || code === 1008 || code === 1013;
  return slowDown ? { floorMs: Math.max(SLOW_DOWN_MS, hintMs(reason)) } : RETRY;
}

/** The hint in a close reason, `{"retry_after_ms":n}`; 0 without one. */
function hintMs(reason: string): number {
  try {
    const ms = JSON.parse(reason).retry_after_ms;
    return ms > 0 ? Math.min(ms, MAX_HINT_MS) : 0;
  } catch {
    return 0;
  }
}
