// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// Envelopes on a bus where one message reaches several targets: one line that names them, then the body.
import { decodeBody, PoisonError } from "./codec.ts";
import { ENVELOPE_VERSION, type Envelope } from "./envelope.ts";
import type { EntryPosition } from "./position.ts";
import type { Target } from "./target.ts";

/** A target and its place in its stream, as one message carries it. */
export interface SharedDelivery {
  readonly target: Target;
  readonly position: EntryPosition | undefined;
}

/** The versions that this node reads. */
const READABLE = new Set([String(ENVELOPE_VERSION)]);

/** Every kind of target; a record, so that a new kind cannot be forgotten here. */
const KINDS: Readonly<Record<Target["kind"], true>> = { account: true };

/** `1 [[app, kind, name, epoch, offset, previous], …]\n` and the body of encodeBody; a delivery without a position has three members. */
export function encodeShared(deliveries: readonly SharedDelivery[], body: string): string {
  const heads = deliveries.map(({ target: { app, kind, name }, position }) =>
    position === undefined ? [app, kind, name] : [app, kind, name, position.epoch, position.offset, position.previous],
  );
  return `${ENVELOPE_VERSION} ${JSON.stringify(heads)}\n${body}`;
}

/** A message whose deliveries are read and whose body is not yet: a node that holds none of its targets never looks at the rest. */
export interface Shared {
  readonly deliveries: readonly SharedDelivery[];
  /** Throws PoisonError. */
  envelope(): Envelope;
}

/** Throws PoisonError. */
export function decodeShared(text: string): Shared {
  const end = text.indexOf("\n");
  const space = text.indexOf(" ");
  if (end === -1 || space === -1 || space > end) throw new PoisonError("a message without its first line");
  if (!READABLE.has(text.slice(0, space))) throw new PoisonError("a version that is not known");
  return { deliveries: parseDeliveries(text.slice(space + 1, end)), envelope: () => decodeBody(text.slice(end + 1)) };
}

function parseDeliveries(line: string): SharedDelivery[] {
  let heads: unknown;
  try {
    heads = JSON.parse(line);
  } catch (cause) {
    throw new PoisonError("deliveries that are not JSON", { cause });
  }
  if (!Array.isArray(heads) || heads.length === 0) throw new PoisonError("a message without deliveries");
  return heads.map(parseDelivery);
}

function parseDelivery(head: unknown): SharedDelivery {
  if (!Array.isArray(head) || !(head.length === 3 || head.length === 6)) throw new PoisonError("a delivery with other members than its own");
  const [app, kind, name, ...place]: unknown[] = head;
  if (typeof app !== "string" || typeof name !== "string" || typeof kind !== "string") throw new PoisonError("a target whose members are not texts");
  if (!isKind(kind)) throw new PoisonError("a target of a kind that is not known");
  return { target: { app, kind, name }, position: place.length === 0 ? undefined : parsePosition(place) };
}

function isKind(kind: string): kind is Target["kind"] {
  return Object.hasOwn(KINDS, kind);
}

function parsePosition([epoch, offset, previous]: unknown[]): EntryPosition {
  const named = typeof epoch === "string" && epoch !== "" && typeof previous === "string";
  if (!named || typeof offset !== "number" || !Number.isSafeInteger(offset) || offset < 1) throw new PoisonError("a position that is none");
  return { epoch, offset, previous };
}
