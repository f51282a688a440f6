// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// Envelopes as text between nodes: one line of members, then the message's data exactly as it was published.
import { ENVELOPE_VERSION, type Envelope, kickEnvelope, messageEnvelope } from "./envelope.ts";
import type { Event } from "./message.ts";
import type { EntryPosition } from "./position.ts";

/** Something on the bus or in the store that no node of a version we know has written. It is skipped and counted. */
export class PoisonError extends Error {
  override readonly name = "PoisonError";
}

/** The versions that this node reads. */
const READABLE = new Set([ENVELOPE_VERSION]);

interface MessageMembers {
  kind: "message";
  msg_id: string;
  from?: string;
  event: Event;
  send_at: number;
}

interface KickMembers {
  kind: "kick";
  connection_id?: string;
}

/** The body of an envelope, without position or version. Members may be added in any version: readers ignore those they do not know. */
export function encodeBody(envelope: Envelope): string {
  if (envelope.kind === "kick") return `${JSON.stringify({ kind: "kick", connection_id: envelope.connectionId })}\n`;
  const { msgId, from, event, sendAt, data } = envelope.message;
  return `${JSON.stringify({ kind: "message", msg_id: msgId, from, event, send_at: sendAt })}\n${data}`;
}

/** Throws PoisonError. `data` is taken as it is: it was checked where it came in. */
export function decodeBody(body: string): Envelope {
  const end = body.indexOf("\n");
  const members = parseMembers(body.slice(0, end));
  if (members.kind === "kick") return kickEnvelope(members.connection_id);
  const { msg_id: msgId, from, event, send_at: sendAt } = members;
  const data = body.slice(end + 1);
  if (typeof msgId !== "string" || msgId === "" || typeof sendAt !== "number" || !(event === 0 || event === 1 || event === 2))
    throw new PoisonError("a message without its members");
  if (!data.startsWith("{") || !data.endsWith("}")) throw new PoisonError("a message whose data is not an object");
  return messageEnvelope({ msgId, ...(typeof from === "string" ? { from } : {}), event, sendAt, data });
}

function parseMembers(line: string): MessageMembers | KickMembers {
  let members: unknown;
  try {
    members = JSON.parse(line);
  } catch (cause) {
    throw new PoisonError("members that are not JSON", { cause });
  }
  const kind = (members as { kind?: unknown } | null)?.kind;
  if (kind !== "message" && kind !== "kick") throw new PoisonError("an envelope of a kind that is not known");
  return members as MessageMembers | KickMembers;
}

/**
 * An envelope on a channel of its own target: `1 epoch offset previous\n` (or `1\n` without a position) and the body.
 * A store that publishes in the same step as it appends writes the same head itself.
 */
export function encodeOnChannel(position: EntryPosition | undefined, body: string): string {
  return position === undefined
    ? `${ENVELOPE_VERSION}\n${body}`
    : `${ENVELOPE_VERSION} ${position.epoch} ${position.offset} ${position.previous || "-"}\n${body}`;
}

/** Throws PoisonError. */
export function decodeOnChannel(text: string): { position: EntryPosition | undefined; envelope: Envelope } {
  const end = text.indexOf("\n");
  const [version, epoch, offset, previous] = text.slice(0, Math.max(0, end)).split(" ");
  if (!READABLE.has(Number(version))) throw new PoisonError("a version that is not known");
  const envelope = decodeBody(text.slice(end + 1));
  if (epoch === undefined) return { position: undefined, envelope };
  const position = { epoch, offset: Number(offset), previous: previous === "-" ? "" : (previous ?? "") };
  if (epoch === "" || !Number.isSafeInteger(position.offset) || position.offset < 1) throw new PoisonError("a position that is none");
  return { position, envelope };
}
