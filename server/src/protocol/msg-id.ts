// Message ids: UUIDv7 (RFC 9562, section 5.7), made without a system call for each.
import { randomFillSync } from "node:crypto";

export interface MsgIdOptions {
  /** Milliseconds since 1970. A clock that steps back is taken as standing still. */
  now: () => number;
  /** Fills bytes that nobody can guess. */
  fill?: (bytes: Buffer) => void;
}

/** Random bytes taken from the system at a time: asking costs about as much for these as for six. */
const POOL_BYTES = 4_096;
/** The counter of a millisecond: 18 bits right behind the time, whose first value has its highest bit clear (section 6.2, method 1). */
const COUNTER_END = 2 ** 18;
const COUNTER_START_MASK = 2 ** 17 - 1;

/** Where in the text the two digits of each byte stand, for time, counter and tail. */
const [TIME_AT, COUNTER_AT, TAIL_AT, LENGTH] = [[0, 2, 4, 6, 9, 11], [14, 16, 19], [21, 24, 26, 28, 30, 32, 34], 36] as const;
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high, low] = Buffer.from(byte.toString(16).padStart(2, "0"));
  return ((high as number) << 8) | (low as number);
});

/**
 * Creates a maker of ids: each is greater, as text, than the one before it.
 * At least 2^17 ids fit into one millisecond; those beyond take the next one. The last 56 bits of every id are random.
 */
export function createMsgIds({ now, fill = randomFillSync }: MsgIdOptions): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  const text = Buffer.alloc(LENGTH, "-");
  let poolAt = POOL_BYTES;
  let ms = -1;
  let counter = 0;

  function randomByte(): number {
    if (poolAt === POOL_BYTES) {
      fill(pool);
      poolAt = 0;
    }
    return pool[poolAt++] as number;
  }

  function put(at: number, byte: number): void {
    const digits = DIGITS[byte] as number;
    text[at] = digits >>> 8;
    text[at + 1] = digits & 0xff;
  }

  function startMillisecond(at: number): void {
    ms = at;
    for (const [i, place] of TIME_AT.entries()) put(place, Math.floor(ms / 2 ** (40 - 8 * i)) & 0xff);
    counter = ((randomByte() << 16) | (randomByte() << 8) | randomByte()) & COUNTER_START_MASK;
  }

  return () => {
    const nowMs = now();
    if (nowMs > ms) startMillisecond(nowMs);
    else if (++counter === COUNTER_END) startMillisecond(ms + 1);
    put(COUNTER_AT[0], 0x70 | (counter >>> 14));
    put(COUNTER_AT[1], (counter >>> 6) & 0xff);
    put(COUNTER_AT[2], 0x80 | (counter & 0x3f));
    for (const at of TAIL_AT) put(at, randomByte());
    return text.toString("latin1");
  };
}
