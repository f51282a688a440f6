// What the fake server does with the ops of its clients: the rules of PROTOCOL.md, "Frames of the client".
import type { Position } from "../protocol/protocol.ts";
import type { Line } from "./connection.ts";
import type { FakeStream } from "./stream.ts";
import { type Claims, readToken } from "./token.ts";

/** An answer that is an error. */
export class Refusal {
  readonly code: number;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  constructor(code: number, message: string, retryAfterMs?: number) {
    this.code = code;
    this.message = message;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What ops need of the server. */
export interface World {
  readonly recoverable: boolean;
  now(): number;
  after(ms: number, run: () => void): () => void;
  stream(kind: "account" | "app" | "room", name: string): FakeStream;
  isMember(room: string, account: string): boolean;
  publish(target: { to: string } | { room: string }, message: Outgoing): { msg_id: string; epoch?: string; offset?: number };
  /** What was answered to this key before. */
  readonly keys: Map<string, { body: string; answer: object }>;
}

export interface Outgoing {
  readonly from?: string | undefined;
  readonly data: Record<string, unknown>;
  readonly key?: string | undefined;
  readonly trace?: string | undefined;
  /** The connection that is not sent it. */
  readonly exclude?: string | undefined;
}

type Fields = Record<string, unknown>;

/** Members beside `op` and `id`; the first ones are required. */
const MEMBERS: Record<string, readonly [required: string[], optional: string[]]> = {
  sub: [["room"], ["position", "token"]],
  unsub: [["room"], []],
  pub: [["data"], ["to", "room", "idempotency_key", "key", "exclude_self", "trace"]],
  history: [[], ["room", "stream", "after", "before", "limit"]],
  refresh: [["token"], []],
};

const MAX_ROOMS = 128;
/** A retryable code says so in its answer. */
export const RETRYABLE: readonly number[] = [500, 504, 600, 1007, 1008, 1009];

/** Does an op; answers what its reply holds and what is to be done after it was sent. Throws a `Refusal`. */
export function run(world: World, line: Line, op: string, fields: Fields): { reply: object; afterwards?: () => void } {
  const members = MEMBERS[op];
  if (!members) throw new Refusal(1010, "op: this server has no such op");
  for (const name of members[0]) if (fields[name] === undefined) throw new Refusal(400, `${name}: is missing`);
  for (const name of Object.keys(fields)) if (!members.flat().includes(name)) throw new Refusal(400, `${name}: is not known`);
  if (fields["room"] !== undefined && !/^[^*]{1,256}$/.test(String(fields["room"]))) throw new Refusal(400, "room: must be 1 to 256 characters without *");
  if (op === "sub") return subscribe(world, line, fields as never);
  if (op === "unsub") return { reply: {}, afterwards: () => leave(line, fields["room"] as string) };
  if (op === "pub") return { reply: publish(world, line, fields as never) };
  if (op === "history") return { reply: readBack(world, line, fields as never) };
  return refresh(world, line, fields["token"]);
}

export const rightsOf = ({ can }: Claims) => ["direct", "publish", "history"].filter((right) => !can || can.includes(right));

export const opens = ({ rooms = [] }: Claims, room: string) =>
  rooms.some((pattern) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "s").test(room));

/** Takes a connection out of a room. */
export function leave(line: Line, room: string): boolean {
  line.subscriptions.get(room)?.();
  return line.subscriptions.delete(room);
}

function subscribe(world: World, line: Line, { room, position, token }: { room: string; position?: Position; token?: string }) {
  const pass = token === undefined ? undefined : readToken(token, world.now());
  const allowed = opens(line.claims, room) || world.isMember(room, line.account);
  if (!allowed && token === undefined) throw new Refusal(1011, "the account may not enter this room");
  if (!allowed && !(pass?.aud === "xlvein-room" && pass.sub === line.account && pass.room === room)) throw new Refusal(1000, "token: does not open this room");
  if (!line.subscriptions.has(room) && line.subscriptions.size >= MAX_ROOMS) throw new Refusal(1013, `a connection is in ${MAX_ROOMS} rooms at most`);
  const expire = () => {
    leave(line, room);
    line.send({ op: "unsub", room, reason: "token_expired" });
  };
  line.subscriptions.get(room)?.();
  line.subscriptions.set(room, allowed || !pass?.exp ? () => {} : world.after(pass.exp * 1000 - world.now(), expire));
  const { state, missed } = joined(world, world.stream("room", room), position);
  return { reply: { room, ...state }, afterwards: () => missed.forEach(line.send) };
}

/** How a stream goes on for a client. */
export function joined(world: World, stream: FakeStream, from: Position | undefined): ReturnType<FakeStream["join"]> {
  if (world.recoverable) return stream.join(from);
  return { state: from ? { recovered: false, reason: "store_unavailable" } : {}, missed: [] };
}

interface Pub extends Outgoing {
  to?: string;
  room?: string;
  idempotency_key?: string;
  exclude_self?: boolean;
}

function publish(world: World, line: Line, { to, room, idempotency_key, exclude_self, data, key, trace }: Pub): object {
  if ((to === undefined) === (room === undefined)) throw new Refusal(400, "to, room: one of them is required");
  if (typeof data !== "object" || data === null || Array.isArray(data)) throw new Refusal(400, "data: must be an object");
  const right = room === undefined ? "direct" : "publish";
  if (!rightsOf(line.claims).includes(right)) throw new Refusal(1004, `the token does not allow ${right}`);
  if (room !== undefined && !line.subscriptions.has(room)) throw new Refusal(1011, "the connection has not subscribed to this room");
  const known = idempotency_key === undefined ? undefined : `${line.account}\n${idempotency_key}`;
  const body = JSON.stringify([to, room, data]);
  const before = known === undefined ? undefined : world.keys.get(known);
  if (before) {
    if (before.body !== body) throw new Refusal(1005, "idempotency_key: was used with another body");
    return { ...before.answer, duplicate: true };
  }
  const target = room === undefined ? { to: to as string } : { room };
  const answer = { ...world.publish(target, { from: line.account, data, key, trace, exclude: exclude_self ? line.id : undefined }), duplicate: false };
  if (known !== undefined) world.keys.set(known, { body, answer });
  return answer;
}

interface HistoryFields {
  room?: string;
  stream?: "account" | "app";
  after?: { epoch: string; offset: number };
  before?: number;
  limit?: number;
}

function readBack(world: World, line: Line, { room, stream, after, before, limit = 100 }: HistoryFields): object {
  if ((room === undefined) === (stream === undefined)) throw new Refusal(400, "room, stream: one of them is required");
  if (after && before) throw new Refusal(400, "before: not together with after");
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1_000)) throw new Refusal(400, "limit: must be 1 to 1,000");
  if (!rightsOf(line.claims).includes("history")) throw new Refusal(1004, "the token does not allow history");
  if (room !== undefined && !line.subscriptions.has(room)) throw new Refusal(1011, "the connection has not subscribed to this room");
  if (!world.recoverable) throw new Refusal(1008, "there is no store");
  const source = room !== undefined ? world.stream("room", room) : world.stream(stream as "account", stream === "app" ? "" : line.account);
  const page = source.read({ limit, ...(after && { after }), ...(before && { before }) });
  if (!page) throw new Refusal(1012, "after: is not in the stream");
  return { ...page, position: source.position };
}

function refresh(world: World, line: Line, token: unknown): { reply: object; afterwards: () => void } {
  const claims = readToken(token, world.now());
  if (claims?.sub !== line.account) throw new Refusal(1000, "token: is not one of this account");
  line.claims = claims;
  const afterwards = () => {
    for (const room of line.rooms)
      if (!opens(claims, room) && !world.isMember(room, line.account) && leave(line, room)) line.send({ op: "unsub", room, reason: "not_authorised" });
  };
  return { reply: { expires_at: claims.exp && claims.exp * 1000, rights: rightsOf(claims) }, afterwards };
}
