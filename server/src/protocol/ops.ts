// The frames that a client of xlvein.v2.json sends (PROTOCOL.md, "Frames of the client"), read into ops.
import { ErrorCode, XlveinError } from "../errors.ts";
import type { OpId } from "./frames.ts";
import type { Position } from "./position.ts";
import { isWholeUnicode, JsonSyntaxError, type Span, scanObject } from "./scan.ts";

export interface SubOp {
  readonly op: "sub";
  readonly id: OpId;
  readonly room: string;
  /** Where the client was before. */
  readonly position: Position | undefined;
  /** A room token, as it came. */
  readonly token: string | undefined;
}

export interface UnsubOp {
  readonly op: "unsub";
  readonly id: OpId;
  readonly room: string;
}

export interface PubOp {
  readonly op: "pub";
  readonly id: OpId;
  readonly to: { readonly kind: "account" | "room"; readonly name: string };
  /** A JSON object as the client wrote it. */
  readonly data: string;
  readonly idempotencyKey: string | undefined;
  readonly key: string | undefined;
  readonly excludeSelf: boolean;
  readonly trace: string | undefined;
}

export interface HistoryOp {
  readonly op: "history";
  readonly id: OpId;
  /** A room, or the stream of the connection's own account or application. */
  readonly of: { readonly kind: "room"; readonly name: string } | { readonly kind: "account" | "app" };
  readonly after: { readonly epoch: string; readonly offset: number } | undefined;
  readonly before: number | undefined;
  readonly limit: number;
}

export interface RefreshOp {
  readonly op: "refresh";
  readonly id: OpId;
  readonly token: string;
}

export interface PingOp {
  readonly op: "ping" | "pong";
  readonly id: OpId | undefined;
}

export type Op = SubOp | UnsubOp | PubOp | HistoryOp | RefreshOp | PingOp;

/** A frame that is no op, and what the client is told; `id` where the frame had one that could be read. */
export interface OpFault {
  readonly op: "fault";
  readonly id: OpId | undefined;
  readonly error: XlveinError;
}

/** Longest names, UTF-16 units. */
const [MAX_ID, MAX_EPOCH, MAX_KEY, MAX_ROOM, MAX_ACCOUNT] = [64, 64, 128, 256, 4_096];
/** Longest name of a client's own that is repeated in an error. */
const MAX_TOLD = 64;
const [DEFAULT_LIMIT, MAX_LIMIT] = [100, 1_000];

/** Whether a text can name a room: 1 to 256 characters of whole Unicode without `*`. */
export function isRoomName(name: unknown): name is string {
  return typeof name === "string" && name.length > 0 && name.length <= MAX_ROOM && !name.includes("*") && isWholeUnicode(name);
}

/** A reader of an op's members, which have been scanned. Each of its methods throws BAD_REQUEST naming the member. */
class Members {
  readonly #text: string;
  readonly #spans: ReadonlyMap<string, Span>;

  constructor(text: string, spans: ReadonlyMap<string, Span>) {
    this.#text = text;
    this.#spans = spans;
  }

  has(name: string): boolean {
    return this.#spans.has(name);
  }

  /** The member as it stands in the frame. */
  raw(name: string): string | undefined {
    const span = this.#spans.get(name);
    return span && this.#text.slice(span.start, span.end);
  }

  value(name: string): unknown {
    const raw = this.raw(name);
    return raw === undefined ? undefined : JSON.parse(raw);
  }

  optional<T>(name: string, read: (value: unknown, field: string) => T): T | undefined {
    return this.has(name) ? read(this.value(name), `op.${name}`) : undefined;
  }

  required<T>(name: string, read: (value: unknown, field: string) => T): T {
    if (!this.has(name)) throw bad(`op.${name}: is missing`);
    return read(this.value(name), `op.${name}`);
  }

  /** Refuses members that the op does not know. */
  only(known: ReadonlySet<string>): void {
    for (const name of this.#spans.keys()) if (!known.has(name)) throw bad(`op.${told(name)}: is not known`);
  }

  /** Of two members, the one that is there. */
  either(one: string, other: string): string {
    if (this.has(one) === this.has(other)) throw bad(`op: must have one of ${one} and ${other}`);
    return this.has(one) ? one : other;
  }
}

interface OpReader {
  readonly known: ReadonlySet<string>;
  read(id: OpId, members: Members): Op;
}

const known = (...names: string[]): ReadonlySet<string> => new Set(["op", "id", ...names]);

const OPS: ReadonlyMap<string, OpReader> = new Map<string, OpReader>([
  ["sub", { known: known("room", "position", "token"), read: readSub }],
  ["unsub", { known: known("room"), read: (id, members) => ({ op: "unsub", id, room: members.required("room", room) }) }],
  ["pub", { known: known("to", "room", "data", "idempotency_key", "key", "exclude_self", "trace"), read: readPub }],
  ["history", { known: known("room", "stream", "after", "before", "limit"), read: readHistory }],
  ["refresh", { known: known("token"), read: (id, members) => ({ op: "refresh", id, token: members.required("token", token) }) }],
]);

const PINGS = known();

/**
 * Reads a frame. Never throws, whatever the text: BAD_REQUEST for what is not an op, UNKNOWN_OP for one that this server has not,
 * MESSAGE_INVALID for what is nested too deeply.
 * @param maxDepth most arrays and objects inside one another in each member, `data` itself being the first
 */
export function decodeOp(text: string, maxDepth: number): Op | OpFault {
  const repeated: string[] = [];
  let id: OpId | undefined;
  try {
    const members = new Members(text, scan(text, maxDepth, repeated));
    // Of two ids nobody knows which is meant.
    if (!repeated.includes("id")) id = members.optional("id", opId);
    const [twice] = repeated;
    if (twice !== undefined) throw bad(`op.${told(twice)}: is there twice`);
    return readOp(members, id);
  } catch (error) {
    if (error instanceof TooDeep) return { op: "fault", id: readId(text), error };
    if (error instanceof XlveinError) return { op: "fault", id, error };
    throw error;
  }
}

class TooDeep extends XlveinError {}

function scan(text: string, maxDepth: number, repeated: string[]): ReadonlyMap<string, Span> {
  try {
    return scanObject(text, maxDepth, "the frame", repeated);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw bad(error.message);
    throw new TooDeep(ErrorCode.MESSAGE_INVALID, (error as XlveinError).message);
  }
}

/** The id of a frame that is nested too deeply: its sender waits for the answer. */
function readId(text: string): OpId | undefined {
  const repeated: string[] = [];
  try {
    const members = new Members(text, scanObject(text, Number.POSITIVE_INFINITY, "the frame", repeated));
    return repeated.includes("id") ? undefined : members.optional("id", opId);
  } catch {
    return undefined; // not JSON further on, or no id
  }
}

function readOp(members: Members, id: OpId | undefined): Op {
  const op = members.value("op");
  if (typeof op !== "string") throw bad(members.has("op") ? "op: must be a text" : "op: is missing");
  if (op === "ping" || op === "pong") {
    members.only(PINGS);
    return { op, id };
  }
  const reader = OPS.get(op);
  if (!reader) throw new XlveinError(ErrorCode.UNKNOWN_OP, "op: this server has no such op");
  if (id === undefined) throw bad("op.id: is missing");
  members.only(reader.known);
  return reader.read(id, members);
}

function readSub(id: OpId, members: Members): SubOp {
  return {
    op: "sub",
    id,
    room: members.required("room", room),
    position: members.optional("position", position),
    token: members.optional("token", token),
  };
}

function readPub(id: OpId, members: Members): PubOp {
  const to = members.either("to", "room");
  const data = members.raw("data");
  if (data === undefined) throw bad("op.data: is missing");
  if (!data.startsWith("{")) throw bad("op.data: must be an object");
  return {
    op: "pub",
    id,
    to: to === "room" ? { kind: "room", name: members.required("room", room) } : { kind: "account", name: members.required("to", account) },
    data,
    idempotencyKey: members.optional("idempotency_key", key),
    key: members.optional("key", key),
    excludeSelf: members.optional("exclude_self", flag) ?? false,
    trace: members.optional("trace", key),
  };
}

function readHistory(id: OpId, members: Members): HistoryOp {
  const of = members.either("room", "stream");
  if (members.has("after") && members.has("before")) throw bad("op: must not have both after and before");
  return {
    op: "history",
    id,
    of: of === "room" ? { kind: "room", name: members.required("room", room) } : { kind: members.required("stream", stream) },
    after: members.optional("after", after),
    before: members.optional("before", wholeNumber(1)),
    limit: members.optional("limit", wholeNumber(1, MAX_LIMIT)) ?? DEFAULT_LIMIT,
  };
}

// What a member must be. Each returns the value as its type, or throws BAD_REQUEST.

function opId(value: unknown, field: string): OpId {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === "string" && value.length > 0 && value.length <= MAX_ID && isWholeUnicode(value)) return value;
  throw bad(`${field}: must be a whole number from 0 up or a text of 1 to ${MAX_ID} characters`);
}

function textOf(max: number, min = 1): (value: unknown, field: string) => string {
  return (value, field) => {
    if (typeof value === "string" && value.length >= min && value.length <= max && isWholeUnicode(value)) return value;
    throw bad(`${field}: must be a text of ${min} to ${max} characters`);
  };
}

const account = textOf(MAX_ACCOUNT);
const key = textOf(MAX_KEY);
const epoch = textOf(MAX_EPOCH);
const msgId = textOf(MAX_ID, 0);

function room(value: unknown, field: string): string {
  if (isRoomName(value)) return value;
  throw bad(`${field}: must be a text of 1 to ${MAX_ROOM} characters without *`);
}

function token(value: unknown, field: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw bad(`${field}: must be a token`);
}

function flag(value: unknown, field: string): boolean {
  if (typeof value === "boolean") return value;
  throw bad(`${field}: must be true or false`);
}

function stream(value: unknown, field: string): "account" | "app" {
  if (value === "account" || value === "app") return value;
  throw bad(`${field}: must be account or app`);
}

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (value: unknown, field: string) => number {
  const bound = max === Number.MAX_SAFE_INTEGER ? "up" : `to ${max}`;
  return (value, field) => {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw bad(`${field}: must be a whole number from ${min} ${bound}`);
  };
}

const offset = wholeNumber(0);

/** Members it does not know are let pass: a position goes back as it came, perhaps from a newer server. */
function position(value: unknown, field: string): Position {
  const members = objectOf(value, field);
  return {
    epoch: epoch(members["epoch"], `${field}.epoch`),
    offset: offset(members["offset"], `${field}.offset`),
    msgId: msgId(members["msg_id"], `${field}.msg_id`),
  };
}

function after(value: unknown, field: string): { epoch: string; offset: number } {
  const members = objectOf(value, field);
  for (const name of Object.keys(members)) if (name !== "epoch" && name !== "offset") throw bad(`${field}.${told(name)}: is not known`);
  return { epoch: epoch(members["epoch"], `${field}.epoch`), offset: offset(members["offset"], `${field}.offset`) };
}

function objectOf(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${field}: must be an object`);
  return { __proto__: null, ...value };
}

function told(name: string): string {
  return name.slice(0, MAX_TOLD);
}

function bad(message: string): XlveinError {
  return new XlveinError(ErrorCode.BAD_REQUEST, message);
}
