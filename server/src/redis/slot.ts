// The slot of a key or channel on a Redis Cluster (Redis Cluster Specification, "Hash tags").

/** Slots of every Cluster. */
export const SLOTS = 16_384;

/** CRC16 of the hash tag, the text between the first `{` and the `}` after it, or of the whole key where that is empty. */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const end = open === -1 ? -1 : key.indexOf("}", open + 1);
  return crc16(Buffer.from(end > open + 1 ? key.slice(open + 1, end) : key)) % SLOTS;
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** CRC16-CCITT (XMODEM): polynomial 0x1021, from 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
  return crc;
}
