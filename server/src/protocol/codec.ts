// Envelopes as text between nodes: one line of members, then the message's data exactly as it was published.
import { type Envelope, kickEnvelope, loadEnvelope, membershipEnvelope, messageEnvelope, type WireVersion } from "./envelope.ts";
import type { EntryPosition } from "./position.ts";

/** Something on the bus or in the store that no node of a version we know has written. It is skipped and counted. */
export class PoisonError extends Error {
  override readonly name = "PoisonError";
}

/** The versions that this node reads; a record, so that none can be forgotten here. */
const READABLE: Readonly<Record<WireVersion, true>> = { 1: true, 2: true };

/** Every kind of envelope, likewise. */
const KINDS: Readonly<Record<Envelope["kind"], true>> = { message: true, kick: true, membership: true, load: true };

/** The members as they came: nothing but the kind has been checked. */
interface Members extends Readonly<Record<string, unknown>> {
  readonly kind: Envelope["kind"];
}

/** Whether this node reads a version, as it stands in front of an envelope. */
export function isReadable(version: string): boolean {
  return Object.hasOwn(READABLE, version);
}

/** The body of an envelope, without position or version. Members may be added in any version: readers ignore those they do not know. */
export function encodeBody(envelope: Envelope): string {
  if (envelope.kind === "kick") return `${JSON.stringify({ kind: "kick", connection_id: envelope.connectionId })}\n`;
  if (envelope.kind === "membership") return `${JSON.stringify({ kind: "membership", room: envelope.room, member: envelope.member })}\n`;
  if (envelope.kind === "load") return `${JSON.stringify({ kind: "load", node: envelope.node, connections: envelope.connections })}\n`;
  const { msgId, from, event, sendAt, key, exclude, trace, data } = envelope.message;
  return `${JSON.stringify({ kind: "message", msg_id: msgId, from, event, send_at: sendAt, key, exclude, trace })}\n${data}`;
}

/** Throws PoisonError. `data` is taken as it is: it was checked where it came in. */
export function decodeBody(body: string): Envelope {
  const end = body.indexOf("\n");
  const members = parseMembers(body.slice(0, end));
  if (members.kind === "kick") return decodeKick(members);
  if (members.kind === "membership") return decodeMembership(members);
  if (members.kind === "load") return decodeLoad(members);
  return decodeMessage(members, body.slice(end + 1));
}

function parseMembers(line: string): Members {
  let members: unknown;
  try {
    members = JSON.parse(line);
  } catch (cause) {
    throw new PoisonError("members that are not JSON", { cause });
  }
  const kind = (members as { kind?: unknown } | null)?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(KINDS, kind)) throw new PoisonError("an envelope of a kind that is not known");
  return members as Members;
}

function decodeMessage({ msg_id: msgId, from, event, send_at: sendAt, key, exclude, trace }: Members, data: string): Envelope {
  if (typeof msgId !== "string" || msgId === "" || typeof sendAt !== "number" || !(event === 0 || event === 1 || event === 2))
    throw new PoisonError("a message without its members");
  if (!data.startsWith("{") || !data.endsWith("}")) throw new PoisonError("a message whose data is not an object");
  return messageEnvelope({
    msgId,
    ...(typeof from === "string" ? { from } : {}),
    event,
    sendAt,
    ...(typeof key === "string" ? { key } : {}),
    ...(typeof exclude === "string" ? { exclude } : {}),
    ...(typeof trace === "string" ? { trace } : {}),
    data,
  });
}

function decodeKick({ connection_id: connectionId }: Members): Envelope {
  if (connectionId === undefined) return kickEnvelope();
  if (typeof connectionId !== "string") throw new PoisonError("a kick of a connection without a name");
  return kickEnvelope(connectionId);
}

function decodeMembership({ room, member }: Members): Envelope {
  if (typeof room !== "string" || typeof member !== "boolean") throw new PoisonError("a membership without its members");
  return membershipEnvelope(room, member);
}

function decodeLoad({ node, connections }: Members): Envelope {
  if (typeof node !== "string" || typeof connections !== "number" || !Number.isSafeInteger(connections) || connections < 0)
    throw new PoisonError("a load without its members");
  return loadEnvelope(node, connections);
}

/**
 * An envelope on a channel of its own target: `VERSION EPOCH OFFSET PREVIOUS\n` (or `VERSION\n` without a position) and the body.
 * `version` is what `versionFor` answers. A store that publishes in the same step as it appends writes the same head itself.
 */
export function encodeOnChannel(position: EntryPosition | undefined, body: string, version: WireVersion = 1): string {
  return position === undefined ? `${version}\n${body}` : `${version} ${position.epoch} ${position.offset} ${position.previous || "-"}\n${body}`;
}

/** Throws PoisonError. */
export function decodeOnChannel(text: string): { position: EntryPosition | undefined; envelope: Envelope } {
  const end = text.indexOf("\n");
  const [version = "", epoch, offset, previous] = text.slice(0, Math.max(0, end)).split(" ");
  if (!isReadable(version)) throw new PoisonError("a version that is not known");
  const envelope = decodeBody(text.slice(end + 1));
  if (epoch === undefined) return { position: undefined, envelope };
  const position = { epoch, offset: Number(offset), previous: previous === "-" ? "" : (previous ?? "") };
  if (epoch === "" || !Number.isSafeInteger(position.offset) || position.offset < 1) throw new PoisonError("a position that is none");
  return { position, envelope };
}
