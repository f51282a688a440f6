// The token: kept while it is good, asked for when it is not, renewed on the live connection before it expires.
import type { Clock } from "../clock.ts";
import { XlveinError } from "../errors.ts";
import type { Emitter } from "../events/emitter.ts";
import type { Requests } from "../requests/requests.ts";

/** Why a token is wanted: `first` there is none yet, `expired` the one before has expired or soon will, `refused` the server did not take it. */
export type TokenReason = "first" | "expired" | "refused";

/** `signal` aborts when the answer is no longer wanted. */
export type GetToken = (request: { readonly reason: TokenReason; readonly signal: AbortSignal }) => Promise<string> | string;

export interface Tokens {
  /** The token, another one where one is wanted. Rejects with `token_failed`. */
  obtain(signal: AbortSignal): Promise<string>;
  /** Another one is wanted. */
  expired(): void;
  /** The server does not take the token. False: nor did it take the one before, asked for because of that, or nobody can be asked. */
  refused(): boolean;
  /** The server took the token, which expires then, by the server's clock, `aheadMs` ahead of ours: renews it in time, until `gone` aborts. */
  accepted(gone: AbortSignal, aheadMs: number, expiresAt: number | undefined): void;
}

/** A token this close to its end could expire on its way; it is renewed this long before its end at the latest, where it lives long enough. */
export const MARGIN_MS = 10_000;
/** The part of a token's life after which it is renewed. */
export const LIFE_USED = 0.8;
/** The least time before a renewal, milliseconds. */
export const SOONEST_MS = 5_000;
/** The longest wait that a browser's timer takes. */
const LONGEST_MS = 2_000_000_000;

/** `ask` hands a new token to the server; a failure is announced, and there will be another try before the token's end. */
export function createTokens(clock: Clock, first: string | null, getToken: GetToken | undefined, ask: Requests["ask"], emit: Emitter["emit"]): Tokens {
  let token = first;
  let wanted: TokenReason | undefined = first ? undefined : "first";
  /** By our clock. */
  let endMs = Infinity;
  /** The token was asked for because the one before was refused. */
  let replaced = false;

  const expired = () => {
    wanted ??= "expired";
  };

  async function obtain(signal: AbortSignal): Promise<string> {
    if (endMs - MARGIN_MS <= clock.now()) expired();
    if (!wanted || !getToken) return token as string;
    const reason = wanted;
    const fresh = await answerOf(getToken, { reason, signal });
    if (!signal.aborted) {
      token = fresh;
      wanted = undefined;
      endMs = Infinity;
      replaced = reason === "refused";
    }
    return fresh;
  }

  function refused(): boolean {
    wanted = "refused";
    return (getToken && !replaced) as boolean;
  }

  function accepted(gone: AbortSignal, aheadMs: number, expiresAt = Infinity): void {
    replaced = false;
    endMs = expiresAt - aheadMs;
    renewBefore(endMs, gone, aheadMs);
  }

  function renewBefore(end: number, gone: AbortSignal, aheadMs: number): void {
    const lifeMs = end - clock.now();
    if (!getToken || lifeMs === Infinity) return;
    const ms = Math.max(SOONEST_MS, Math.min(lifeMs * LIFE_USED, lifeMs - MARGIN_MS, LONGEST_MS));
    gone.onabort = clock.after(ms, async () => {
      expired();
      try {
        const fresh = await obtain(gone);
        if (!gone.aborted) await ask({ op: "refresh", token: fresh }, ({ expires_at }) => accepted(gone, aheadMs, expires_at), true);
      } catch (error) {
        if ((error as XlveinError).code === "refused") refused();
        if (gone.aborted) return;
        emit("error", error as XlveinError);
        renewBefore(end, gone, aheadMs);
      }
    });
  }

  return { obtain, expired, refused, accepted };
}

async function answerOf(getToken: GetToken, request: Parameters<GetToken>[0]): Promise<string> {
  let cause: unknown = "not a token";
  try {
    const token: unknown = await getToken(request);
    if (token && typeof token === "string") return token;
  } catch (error) {
    cause = error;
  }
  throw new XlveinError("token_failed", `getToken: ${cause}`, { cause });
}
