// A set of applications that is compressed: what a Secret of Kubernetes (1 MiB) holds of plain text is used up long before what servers can serve.
import { gunzipSync, gzipSync } from "node:zlib";

/** What the name of a compressed file ends in. */
export const PACKED_ENDING = ".gz";
/** What a compressed file may unpack to: some ten times what fits into a Secret, so that a few KiB cannot fill the memory of every server. */
export const MAX_UNPACKED_BYTES = 16 * 1_048_576;

/** gzip without a time in it: the same bytes for the same text. */
export function pack(text: string): Buffer {
  return gzipSync(text);
}

/** The text within. Throws a sentence that quotes nothing of it. */
export function unpack(packed: Buffer): string {
  try {
    return gunzipSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES }).toString();
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw new Error(isLarge ? `unpacks to more than ${MAX_UNPACKED_BYTES / 1_048_576} MiB` : "is not whole gzip");
  }
}
