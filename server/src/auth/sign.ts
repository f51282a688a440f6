// The classic sign of a push: an MD5 over the fields and the secret. Kept for callers of the Go service; new ones use bearer tokens.
import { createHash, hash, timingSafeEqual } from "node:crypto";
import type { App } from "../apps/app.ts";
import { ErrorCode, XlveinError } from "../errors.ts";

/** The signed fields, spelled as on the wire. */
export interface SignedFields {
  readonly app_key: string;
  /** The text exactly as it is sent. */
  readonly message: string;
  readonly nonce: string;
  readonly send_to: string;
}

/** What separates fields in the signed text: inside a field it would let text move from one field to the next under the same sign. */
const SEPARATOR = /&(?:app_key|message|nonce|send_to|key)=/;

/** The sign of a push: upper-case hex MD5 of the fields in the order of their names, values raw, and the secret. */
export function classicSign({ app_key, message, nonce, send_to }: SignedFields, secret: string): string {
  return hash("md5", `app_key=${app_key}&message=${message}&nonce=${nonce}&send_to=${send_to}&key=${secret}`, "hex").toUpperCase();
}

/**
 * Checks a sign against every secret that is still accepted, in constant time.
 * @returns the id of the secret that made it
 * @throws XlveinError SIGN_INVALID, or BAD_REQUEST when a field holds a separator
 */
export function verifySign({ secrets }: App, fields: SignedFields, sign: string, nowMs: number): string {
  checkSeparators(fields);
  let found: string | undefined;
  for (const { id, text, notAfterMs } of secrets) {
    if (notAfterMs > nowMs && equal(classicSign(fields, text), sign)) found ??= id;
  }
  if (found === undefined) throw new XlveinError(ErrorCode.SIGN_INVALID, "sign does not match");
  return found;
}

/** Answers for an application that does not exist, after the work of a check. Always throws APP_NOT_FOUND. */
export function verifySignForUnknownApp(fields: SignedFields, sign: string): never {
  equal(classicSign(fields, "no secret at all"), sign);
  throw new XlveinError(ErrorCode.APP_NOT_FOUND, "body.app_key: no application has this key", { reason: "unknown_app" });
}

/** `message` may hold anything: with the others clean, the signed text can be cut in one way only. */
function checkSeparators(fields: SignedFields): void {
  for (const name of ["app_key", "nonce", "send_to"] as const) {
    const separator = SEPARATOR.exec(fields[name])?.[0];
    if (separator === undefined) continue;
    const message = `must not contain ${separator} in a signed push`;
    throw new XlveinError(ErrorCode.BAD_REQUEST, `body.${name} ${message}`, { fields: [{ field: `body.${name}`, message }] });
  }
}

/** Compares digests, so that neither length nor content shows in the time taken. */
function equal(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
