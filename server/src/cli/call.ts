// Calls of a server over HTTP, with a sentence for each way they fail.
import { CliError } from "./io.ts";

const CALL_TIMEOUT_MS = 10_000;

export interface Answer {
  readonly status: number;
  /** The body as it came. */
  readonly text: string;
}

/** Sends a request. Throws a sentence that names the address when no answer comes. */
export async function call(url: string, init: RequestInit, timeoutMs: number = CALL_TIMEOUT_MS): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new CliError(unreachable(url, error));
  }
}

/** Why nothing answers at an address, and what to do. */
export function unreachable(url: string, error: unknown): string {
  const { origin } = new URL(url);
  const reason = reasonOf(error);
  const advice = reason.includes("ECONNREFUSED") ? "; start one with `xlvein start`, or name another with --url" : "";
  return `no server answers at ${origin}: ${reason}${advice}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  // fetch hides the system's error in `cause`; several addresses of one name make an AggregateError without a message.
  const inner = error.cause instanceof Error ? error.cause : error;
  const code = "code" in inner ? String(inner.code) : "";
  return inner.message.includes(code) && inner.message !== "" ? inner.message : `${inner.message} ${code}`.trim();
}

/** The members of a JSON object, or nothing when the text is none. */
export function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
