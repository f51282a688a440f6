// The server's API, called as a backend does: with a bearer token made from the secret.
import { ErrorCode } from "../src/generated/codes.ts";
import { refusalSentence } from "./explain.ts";
import { makeApiToken } from "./token.ts";

/** Who calls, and whom. */
export interface ApiCaller {
  /** Where the server is, without a slash at the end. */
  readonly server: string;
  readonly appKey: string;
  readonly secret: string;
}

/** The call failed; the message is a sentence for the person at the page. */
export class ApiFault extends Error {
  override readonly name = "ApiFault";
  /** The server's error code; undefined when it did not answer as xlvein does. */
  readonly code: number | undefined;

  constructor(message: string, code?: number) {
    super(message);
    this.code = code;
  }
}

/** What the API and a handshake refuse alike, however often one tries. */
const FINAL: readonly unknown[] = [ErrorCode.TOKEN_INVALID, ErrorCode.APP_NOT_FOUND, ErrorCode.APP_DISABLED];
const NO_SECRET = "The server refused the connection. Check the app key, and that the token is signed with this application's secret.";
const OTHERWISE_FINE = "The server takes this app key and secret, but not the connection. Check the token, allowed_origins and the connection limits.";

/**
 * Pushes `data`, a JSON object as text that goes out as written. Resolves with the message's id.
 * Rejects with an ApiFault, or with a TokenFault when no token can be made.
 */
export async function push(caller: ApiCaller, accounts: readonly string[], data: string): Promise<string> {
  const { msg_id } = await call(caller, "POST", "/api/v1/messages", messageBody(accounts, data));
  if (typeof msg_id !== "string") throw new ApiFault("The server's answer has no message id. Is this page from another version of it?");
  return msg_id;
}

/** The body of a push: `data` stays as written, numbers beyond 2^53 too. */
export function messageBody(accounts: readonly string[], data: string): string {
  return `{"accounts":${JSON.stringify(accounts)},"data":${data}}`;
}

/** Why a handshake may have been refused: browsers do not tell, the API does. `final`: trying again changes nothing. */
export async function explainRefusal(caller: ApiCaller, account: string): Promise<{ readonly sentence: string; readonly final: boolean }> {
  if (caller.secret === "") return { sentence: NO_SECRET, final: false };
  try {
    await call(caller, "GET", `/api/v1/accounts/${encodeURIComponent(account)}/connections`);
    return { sentence: OTHERWISE_FINE, final: false };
  } catch (error) {
    const { message, code } = error as ApiFault;
    // What only the API refuses (`push_auth`, its rate) is not why the handshake was.
    if (code !== undefined && !FINAL.includes(code)) return { sentence: NO_SECRET, final: false };
    return { sentence: message, final: code !== undefined };
  }
}

async function call({ server, appKey, secret }: ApiCaller, method: string, path: string, body?: string): Promise<Record<string, unknown>> {
  const authorization = `Bearer ${await makeApiToken(secret, appKey, Date.now())}`;
  const headers = body === undefined ? { authorization } : { authorization, "content-type": "application/json" };
  const response = await fetch(server + path, { method, headers, ...(body !== undefined && { body }) }).catch(() => {
    throw new ApiFault("The server did not answer. Check that it runs.");
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (typeof answer !== "object" || answer === null) throw new ApiFault(`The server answered with status ${response.status}. Look into its log.`);
  const { code, detail } = answer as { code?: unknown; detail?: unknown };
  if (response.ok) return answer as Record<string, unknown>;
  if (typeof code === "number" && typeof detail === "string") throw new ApiFault(refusalSentence(code, detail), code);
  throw new ApiFault(`The server answered with status ${response.status}. Look into its log.`);
}
