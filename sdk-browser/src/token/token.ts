// The token of the next attempt: kept while it is good, asked for when it is not.
import type { Clock } from "../clock.ts";
import { XlveinError } from "../errors.ts";

/** Why a token is wanted: `first` there is none yet, `expired` its `exp` has passed, `refused` the last attempt with it failed. */
export type TokenReason = "first" | "expired" | "refused";

/** `signal` aborts when the answer is no longer wanted. */
export type GetToken = (request: { readonly reason: TokenReason; readonly signal: AbortSignal }) => Promise<string> | string;

export interface Tokens {
  /** Rejects with `token_failed`. */
  get(signal: AbortSignal): Promise<string>;
  /** The token did not open a connection: ask for another one, where there is somebody to ask. */
  refuse(): void;
}

/** A token this close to its end could expire on its way. */
const EXPIRY_MARGIN_MS = 10_000;

export function createTokens(clock: Clock, first: string | undefined, getToken: GetToken | undefined): Tokens {
  let token = first;
  let refused = false;

  function want(): TokenReason | undefined {
    if (!token) return "first";
    if (refused) return "refused";
    // A wrong clock here only asks too often or too late; the server has the last word.
    return expiresAtMs(token) - EXPIRY_MARGIN_MS <= clock.now() ? "expired" : undefined;
  }

  async function get(signal: AbortSignal): Promise<string> {
    const reason = want();
    if (!reason || !getToken) return token as string;
    const fresh = await ask(getToken, reason, signal);
    if (!signal.aborted) {
      token = fresh;
      refused = false;
    }
    return fresh;
  }

  return {
    get,
    refuse: () => {
      refused = true;
    },
  };
}

async function ask(getToken: GetToken, reason: TokenReason, signal: AbortSignal): Promise<string> {
  let token: unknown;
  try {
    token = await getToken({ reason, signal });
  } catch (cause) {
    throw new XlveinError("token_failed", `getToken: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  if (typeof token !== "string" || !token) throw new XlveinError("token_failed", `getToken: answered ${typeof token}, not a token`);
  return token;
}

/** Infinity when the token does not say, or is no JWT. */
function expiresAtMs(token: string): number {
  try {
    const payload = (token.split(".")[1] as string).replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).exp * 1000 || Infinity;
  } catch {
    return Infinity;
  }
}
