// Compresses a message once for all the sockets that get it (RFC 7692): each message for itself, so that what a socket has got before does not matter.
import { constants, deflateRawSync } from "node:zlib";
import { deflatedFrame, payloadOf } from "../protocol/ws-frame.ts";

/** Shorter frames, in bytes, gain less than the work is worth. */
export const MIN_DEFLATED_BYTES = 256;
/** What the end of every compressed message would be: left out (section 7.2.1). */
const TAIL_BYTES = 4;
/** The least and the greatest window, as powers of two. */
const [LEAST, GREATEST] = [9, 15] as const;

/** A text frame, compressed; the same one where that does not make it shorter. */
export function deflate(plain: Buffer): Buffer {
  if (plain.length < MIN_DEFLATED_BYTES) return plain;
  // A window that is larger than the text only costs memory that has to be cleared.
  const windowBits = Math.min(GREATEST, Math.max(LEAST, Math.ceil(Math.log2(plain.length))));
  const options = { finishFlush: constants.Z_SYNC_FLUSH, windowBits, memLevel: Math.min(8, windowBits - 6) };
  const bytes = deflateRawSync(payloadOf(plain), options);
  const frame = deflatedFrame(bytes.subarray(0, bytes.length - TAIL_BYTES));
  return frame.length < plain.length ? frame : plain;
}
