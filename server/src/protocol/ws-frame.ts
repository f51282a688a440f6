// A WebSocket frame as bytes (RFC 6455 section 5.2), made once for all the sockets that get it.

/** FIN and the opcode of a text frame. A server's frames are not masked. */
const TEXT = 0x81;
/** The same of a text that has been compressed (RFC 7692 section 6). */
const DEFLATED_TEXT = TEXT | 0x40;

/** A whole text frame, header included. */
export function textFrame(payload: string): Buffer {
  const bytes = Buffer.byteLength(payload);
  const header = headerSize(bytes);
  const frame = begin(TEXT, header, bytes);
  frame.write(payload, header);
  return frame;
}

/** A whole frame of a text that has been compressed, each message for itself and without the tail. */
export function deflatedFrame(payload: Uint8Array): Buffer {
  const header = headerSize(payload.length);
  const frame = begin(DEFLATED_TEXT, header, payload.length);
  frame.set(payload, header);
  return frame;
}

/** The payload of a whole frame. */
export function payloadOf(frame: Buffer): Buffer {
  const length = frame[1] as number;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
}

function headerSize(bytes: number): number {
  return bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
}

/** A frame whose payload is still to be written. */
function begin(first: number, header: number, bytes: number): Buffer {
  const frame = Buffer.allocUnsafe(header + bytes);
  frame[0] = first;
  if (header === 2) frame[1] = bytes;
  else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  return frame;
}
