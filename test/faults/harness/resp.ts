// Reads what a Redis server sends (RESP2 and RESP3) as far as needed to find where a reply ends and whether it is a published message.

const PUBLISHED = new Set(["message", "smessage", "pmessage"]);
const LF = 10;

/** What of the bytes read may go on now: replies that are whole, with and without published messages. */
export interface Filtered {
  readonly all: Buffer;
  readonly withoutMessages: Buffer;
}

/** Reads one direction of one connection. Bytes of a reply that is not whole yet wait for its rest. */
export function createMessageFilter(): (bytes: Buffer) => Filtered {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const read = Buffer.concat([rest, bytes]);
    const kept: Buffer[] = [];
    let at = 0;
    for (let end = endOf(read, 0); end !== undefined; end = endOf(read, at)) {
      const reply = read.subarray(at, end);
      if (!isPublished(reply)) kept.push(reply);
      at = end;
    }
    rest = read.subarray(at);
    return { all: read.subarray(0, at), withoutMessages: Buffer.concat(kept) };
  };
}

/** Where the value that begins at `at` ends; `undefined` while it is not whole. */
function endOf(bytes: Buffer, at: number): number | undefined {
  const lineEnd = bytes.indexOf(LF, at);
  if (lineEnd === -1) return undefined;
  const type = String.fromCharCode(bytes[at] as number);
  const count = Number(bytes.toString("latin1", at + 1, lineEnd - 1));
  const next = lineEnd + 1;
  if ("$=!".includes(type)) {
    const end = count < 0 ? next : next + count + 2;
    return end <= bytes.length ? end : undefined;
  }
  if ("*>~".includes(type)) return endOfMany(bytes, next, count);
  if ("%|".includes(type)) return endOfMany(bytes, next, 2 * count);
  return next;
}

function endOfMany(bytes: Buffer, from: number, count: number): number | undefined {
  let at: number | undefined = from;
  for (let i = 0; i < count && at !== undefined; i++) at = at < bytes.length ? endOf(bytes, at) : undefined;
  return at;
}

/** `*3` or `>3`, and `message` first. */
function isPublished(reply: Buffer): boolean {
  const [head = "", , first = ""] = reply.toString("latin1", 0, 40).split("\r\n");
  return (head.startsWith("*") || head.startsWith(">")) && PUBLISHED.has(first);
}
