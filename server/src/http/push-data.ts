// The checks that every push passes, whichever door it came through.
import type { App } from "../apps/app.ts";
import type { NodeLimits } from "../config/config.ts";
import { ErrorCode } from "../errors.ts";
import { isWholeUnicode } from "../protocol/scan.ts";
import { invalidFields } from "./validation.ts";

/** Refuses a body that is larger than the application's messages or the node's frames may be. Throws PAYLOAD_TOO_LARGE naming the field. */
export function checkSize(data: string, field: string, app: App, { frameBytes }: NodeLimits): void {
  const maxBytes = Math.min(app.limits.maxMessageBytes, frameBytes);
  if (Buffer.byteLength(data) > maxBytes) throw invalidFields([{ field, message: `is larger than ${maxBytes} bytes` }], ErrorCode.PAYLOAD_TOO_LARGE);
}

/** Refuses text that UTF-8 cannot carry: the receiver would see another. Throws BAD_REQUEST naming the field. */
export function checkUnicode(text: string, field: string): void {
  if (!isWholeUnicode(text)) throw invalidFields([{ field, message: "holds half of a surrogate pair, which UTF-8 cannot carry" }]);
}
