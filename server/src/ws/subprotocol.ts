// Which protocol a handshake is for: what a client offers, and what is selected of it (RFC 6455 section 1.9).
import { V2 } from "../protocol/frames.ts";

/** A client's token, offered as a subprotocol to keep it out of URLs. It is never selected. */
export const TOKEN_PREFIX = "xlvein.token.";

const VERSION = /^xlvein\.v\d{1,9}\.json$/;

/** The version of the full protocol that is offered; `newer` when none of them is spoken here. */
export function offersVersion(offered: readonly string[]): "v2" | "newer" | undefined {
  if (offered.includes(V2)) return "v2";
  return offered.some((name) => VERSION.test(name)) ? "newer" : undefined;
}

/** What the answer names: ours, or the first version of the full protocol, so that its client reads the close code; nothing for all others. */
export function selectProtocol(offered: readonly string[]): string | undefined {
  return offered.includes(V2) ? V2 : offered.find((name) => VERSION.test(name));
}
