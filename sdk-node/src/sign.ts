// The signature of the classic push API.
import { createHash } from "node:crypto";

/** The signed fields, in the wire's spelling. */
export interface SignedFields {
  readonly app_key: string;
  readonly send_to: string;
  readonly message: string;
  readonly nonce: string;
}

/** Upper-case hex MD5 over the fields sorted by name, raw, and the secret. The old protocol's own weakness: prefer `push`. */
export function sign({ app_key, message, nonce, send_to }: SignedFields, secret: string): string {
  const text = `app_key=${app_key}&message=${message}&nonce=${nonce}&send_to=${send_to}&key=${secret}`;
  return createHash("md5").update(text, "utf8").digest("hex").toUpperCase();
}
