// What the scripts answer, in the words of the contract.
import { decodeBody, PoisonError } from "../protocol/codec.ts";
import type { EntryPosition, Position } from "../protocol/position.ts";
import type { Entry, Latest, Missed } from "./store.ts";

/** An entry as it stands in the store: `OFFSET PREVIOUS`, a line feed and the body. */
interface Raw {
  /** NaN when there is none. */
  readonly offset: number;
  readonly previous: string;
  readonly body: string;
}

/** `EPOCH OFFSET PREVIOUS` */
export function parsePlace(text: string): EntryPosition {
  const [epoch = "", offset, previous = NONE] = text.split(" ");
  return { epoch, offset: Number(offset), previous: parseId(previous) };
}

/** `EPOCH OFFSET MSG_ID` */
export function parsePosition(text: string): Position {
  const { previous: msgId, ...place } = parsePlace(text);
  return { ...place, msgId };
}

/** How no msg_id reads. */
const NONE = "-";

function parseId(text: string): string {
  return text === NONE ? "" : text;
}

/**
 * What a reader at `after` has missed. An entry that cannot be read ends the page: the next request begins with it,
 * is answered `too_old` and goes on behind it, so that its loss shows. `onPoison` is called for it then.
 */
export function parseMissed([position, ...texts]: readonly [string, ...string[]], after: Position, onPoison: () => void): Missed {
  const current = parsePosition(position);
  const { epoch, offset, msgId } = current;
  if (epoch !== after.epoch || after.offset > offset) return { outcome: "epoch_changed", current };
  if (after.offset === offset) return after.msgId === msgId ? { outcome: "complete", entries: [] } : { outcome: "epoch_changed", current };
  // Where entries are missing in the middle, counting begins too early.
  const raw = texts.map(parseRaw).filter((entry) => !(entry.offset <= after.offset));
  const next = raw[0]?.offset === after.offset + 1 ? raw[0] : undefined;
  if (next && next.previous !== after.msgId) return { outcome: "epoch_changed", current };
  let start = 0;
  let entries = readRun(raw, start, epoch);
  while (entries.length === 0 && start < raw.length) {
    onPoison();
    entries = readRun(raw, ++start, epoch);
  }
  return { outcome: next && start === 0 ? "complete" : "too_old", entries };
}

/** The end of a stream, or what comes before an offset, without what cannot be read: `onPoison` is called for each of those. */
export function parseLatest([position, more, ...texts]: readonly [string, number, ...string[]], before: number, onPoison: () => void): Latest {
  const current = parsePosition(position);
  const raw = texts.map(parseRaw).filter((entry) => !(entry.offset >= before));
  const read = raw.map((each) => readEntry(each, current.epoch));
  for (const entry of read) if (!entry) onPoison();
  return { position: current, entries: read.filter((entry) => entry !== undefined), more: more === 1 };
}

function parseRaw(text: string): Raw {
  const end = text.indexOf("\n");
  const [offset = "", previous = NONE] = text.slice(0, Math.max(0, end)).split(" ");
  return { offset: Number.parseInt(offset, 10), previous: parseId(previous), body: text.slice(end + 1) };
}

/** The entries from `start` that can be read and follow each other. */
function readRun(raw: readonly Raw[], start: number, epoch: string): Entry[] {
  const entries: Entry[] = [];
  for (const each of raw.slice(start)) {
    if (entries.length > 0 && each.offset !== (entries[0] as Entry).position.offset + entries.length) break;
    const entry = readEntry(each, epoch);
    if (!entry) break;
    entries.push(entry);
  }
  return entries;
}

function readEntry({ offset, previous, body }: Raw, epoch: string): Entry | undefined {
  const message = Number.isNaN(offset) ? undefined : readMessage(body);
  return message && { message, position: { epoch, offset, previous } };
}

function readMessage(body: string): Entry["message"] | undefined {
  try {
    const envelope = decodeBody(body);
    return envelope.kind === "message" ? envelope.message : undefined;
  } catch (error) {
    if (error instanceof PoisonError) return undefined;
    throw error;
  }
}
