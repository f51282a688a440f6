// A WebSocket frame as bytes (RFC 6455 section 5.2), made once for all the sockets that get it.

/** FIN and the opcode of a text frame. A server's frames are not masked. */
const TEXT = 0x81;

/** A whole text frame, header included. */
export function textFrame(payload: string): Buffer {
  const bytes = Buffer.byteLength(payload);
  const header = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + bytes);
  frame[0] = TEXT;
  if (header === 2) frame[1] = bytes;
  else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  frame.write(payload, header);
  return frame;
}
