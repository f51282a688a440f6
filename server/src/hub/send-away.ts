// Closing a connection whose client is to come back somewhere else.
import { CloseCode } from "../generated/codes.ts";
import type { Connection } from "./connection.ts";

/** The longest hint: it spreads the clients that are closed in one step, and is short enough not to be felt. */
const HINT_MS = 500;

/** A v2 client is told by `code` why, and when to come back, drawn evenly from 0 to the longest hint; a classic one gets 1012 and the words. `random` is from 0 to below 1. */
export function sendAway(connection: Connection, code: CloseCode, words: string, random: () => number = Math.random): void {
  if (connection.protocol === "v2") connection.close(code, JSON.stringify({ retry_after_ms: Math.floor(random() * (HINT_MS + 1)) }));
  else connection.close(CloseCode.SERVICE_RESTART, words);
}
