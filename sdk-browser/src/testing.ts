// A server for tests, in the same process: speaks the protocol honestly, and does on demand what networks and servers do to clients.
import { type Clock, systemClock } from "./clock.ts";
import { type Position, SUBPROTOCOL } from "./protocol/protocol.ts";
import { createLine, type FakeConnection, type Line } from "./testing/connection.ts";
import { joined, leave, type Outgoing, opens, RETRYABLE, Refusal, rightsOf, run, type World } from "./testing/ops.ts";
import { createSocketClass, type FakePeer } from "./testing/socket.ts";
import { createFakeStream, type Envelope, type FakeStream } from "./testing/stream.ts";
import { makeToken, readToken } from "./testing/token.ts";
import type { WebSocketClass } from "./transport/socket.ts";

export type { FakeConnection } from "./testing/connection.ts";

export interface FakeServerOptions {
  /** Messages that each stream keeps. Default 100; 0: there is no store, nothing is recovered. */
  readonly history?: number | undefined;
  /** Missed messages that a client gets at most. Default 1,000. */
  readonly recoverMessages?: number | undefined;
  /** A ping comes when nothing else was sent for so long. Default 25,000. */
  readonly pingMs?: number | undefined;
  /** The largest frame of a client; a larger one closes the connection (1009). Default 65,536. */
  readonly maxFrameBytes?: number | undefined;
  /** Time and chance: pass the one that the client has. Default: the system's. */
  readonly clock?: Clock | undefined;
}

export interface FakePush {
  readonly accounts?: readonly string[] | undefined;
  readonly rooms?: readonly string[] | undefined;
  /** To every connection. */
  readonly everyone?: boolean | undefined;
  readonly data: Record<string, unknown>;
  readonly key?: string | undefined;
  /** A connection's id that is not sent the message. */
  readonly exclude?: string | undefined;
}

export interface TokenRights {
  /** Rooms it opens, by name or pattern (`news:*`). */
  readonly rooms?: readonly string[] | undefined;
  /** `direct`, `publish`, `history`; all three when absent. */
  readonly can?: readonly string[] | undefined;
  /** When it expires, seconds from now; never when absent. */
  readonly expiresInSeconds?: number | undefined;
}

export interface FakeServer {
  /** Pass it as the client's option `WebSocket`; any `url` and `appKey` will do. */
  readonly WebSocket: WebSocketClass;
  /** Those that have got their hello and have not ended, oldest first. */
  readonly connections: readonly FakeConnection[];
  /** A connect token. Those of a real backend work too: signatures are not checked. */
  token(account: string, rights?: TokenRights): string;
  /** A token that opens one room to one account. */
  roomToken(account: string, room: string, options?: { readonly expiresInSeconds?: number | undefined }): string;
  /** Sends a message as a backend does; answers its id. */
  push(message: FakePush): { readonly msgId: string };
  /** Lets an account into a room: its connections are told. */
  addMember(room: string, account: string): void;
  /** Takes that back: its connections leave the room, unless their token opens it. */
  removeMember(room: string, account: string): void;
  /** Connections are refused with this close code (4007, 4101 …) from now on; with 1006 the server cannot be reached; without a code all is well again. */
  refuse(code?: number): void;
  /** The next `times` ops of this kind (`pub`, `sub` …; 1 time by default) are answered with this error code. */
  fail(op: string, code: number, options?: { readonly times?: number | undefined; readonly retryAfterMs?: number | undefined }): void;
  /** The store has lost everything: other epochs begin. Connected clients get a gap (`lost`), those that were away are told when they come back. */
  loseStore(): void;
  /** Ends every connection and every timer. */
  close(): void;
}

/** Starts a server; nothing listens, nothing leaves the process. */
export function createFakeServer(options: FakeServerOptions = {}): FakeServer {
  const { history = 100, recoverMessages = 1_000, pingMs = 25_000, maxFrameBytes = 65_536, clock = systemClock } = options;
  const lines = new Set<Line>();
  const streams = new Map<string, FakeStream>();
  const members = new Map<string, Set<string>>();
  const failures: { op: string; refusal: Refusal }[] = [];
  let refusal: number | undefined;
  let made = 0;
  const newId = () => `fake-${++made}`;

  const world: World = {
    recoverable: history > 0,
    now: () => clock.now(),
    after: (ms, run) => clock.after(ms, run),
    keys: new Map(),
    isMember: (room, account) => members.get(room)?.has(account) === true,
    stream: (kind, name) => {
      const key = `${kind}:${name}`;
      const stream = streams.get(key) ?? createFakeStream(history, recoverMessages);
      streams.set(key, stream);
      return stream;
    },
    publish: (target, outgoing) => {
      const msg_id = newId();
      return { msg_id, ...deliver(target, outgoing, msg_id, clock.now()) };
    },
  };

  /** Gives a message its place in one stream and sends it to all who are in it. */
  function deliver(target: { to?: string; room?: string }, { exclude, from, ...rest }: Outgoing, msg_id: string, send_at: number) {
    const { to, room } = target;
    const conversation_id = room ?? (from === undefined ? undefined : to);
    const event = room !== undefined ? 2 : from === undefined ? 0 : 1;
    // JSON leaves out what is undefined.
    const message = { ...target, from, event, ...rest, msg_id, send_at, conversation_id } as Envelope;
    const stream = room !== undefined ? world.stream("room", room) : to !== undefined ? world.stream("account", to) : world.stream("app", "");
    const frame = world.recoverable ? stream.append(message) : message;
    for (const line of lines) {
      const inIt = room !== undefined ? line.subscriptions.has(room) : to === undefined || to === line.account;
      if (inIt && line.id !== exclude) line.send({ ...frame });
    }
    return world.recoverable ? { epoch: stream.position.epoch, offset: stream.position.offset } : {};
  }

  function connect(peer: FakePeer): boolean {
    if (refusal === 1006) return false;
    const token = peer.protocols.find((offer) => offer.startsWith("xlvein.token."))?.slice("xlvein.token.".length);
    const claims = readToken(token ?? peer.url.searchParams.get("token"), clock.now());
    const code = refusal ?? (peer.protocols.includes(SUBPROTOCOL) ? (claims ? undefined : 4007) : 4005);
    if (code || !claims) peer.end(code ?? 4007);
    else admit(createLine(peer, newId(), claims.sub, claims, clock, pingMs), peer);
    return true;
  }

  function admit(line: Line, peer: FakePeer): void {
    const enter = (kind: "account" | "app", name: string) =>
      joined(world, world.stream(kind, name), readPosition(peer.url.searchParams.get(`${kind}_position`)));
    const account = enter("account", line.account);
    const app = enter("app", "");
    lines.add(line);
    let endsAt = () => {};
    const expire = () => {
      endsAt();
      const { exp } = line.claims;
      if (exp) endsAt = clock.after(Math.min((exp + 5) * 1000 - clock.now(), 2 ** 31 - 1), () => (exp === line.claims.exp ? line.close(4202) : expire()));
    };
    expire();
    peer.onEnd = () => {
      lines.delete(line);
      endsAt();
      line.bury();
    };
    peer.onFrame = (text) => {
      receive(line, text);
      expire();
    };
    line.send({
      op: "hello",
      connection_id: line.id,
      account: line.account,
      device_id: line.deviceId,
      server_version: "fake",
      ping_ms: pingMs,
      max_frame_bytes: maxFrameBytes,
      recoverable: world.recoverable,
      time: clock.now(),
      expires_at: line.claims.exp && line.claims.exp * 1000,
      rights: rightsOf(line.claims),
      rooms: [...members].filter(([, accounts]) => accounts.has(line.account)).map(([room]) => room),
      streams: { account: account.state, app: app.state },
    });
    for (const frame of [...account.missed, ...app.missed]) line.send(frame);
  }

  function receive(line: Line, text: string): void {
    if (new TextEncoder().encode(text).length > maxFrameBytes) return line.close(1009);
    let id: unknown;
    try {
      const frame = parse(text);
      const { op, ...fields } = frame;
      if (op === "pong") return;
      if (op === "ping") return line.send({ op: "pong", id: fields["id"] });
      ({ id } = fields);
      delete fields["id"];
      if (!["number", "string"].includes(typeof id)) throw new Refusal(400, "id: must be a number or a text");
      const failing = failures.findIndex((failure) => failure.op === op);
      if (failing >= 0) throw failures.splice(failing, 1)[0]?.refusal;
      const { reply, afterwards } = run(world, line, String(op), fields);
      line.send({ op: "reply", id, ...reply });
      afterwards?.();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, message, retryAfterMs } = error;
      line.send({ op: "error", id, code, message, retryable: RETRYABLE.includes(code), retry_after_ms: retryAfterMs });
    }
  }

  const expiry = (seconds: number | undefined) => (seconds === undefined ? {} : { exp: Math.floor(clock.now() / 1000) + seconds });

  return {
    WebSocket: createSocketClass(connect),
    get connections() {
      return [...lines];
    },
    token: (account, { rooms, can, expiresInSeconds } = {}) =>
      makeToken({ sub: account, ...(rooms && { rooms }), ...(can && { can }), ...expiry(expiresInSeconds) }),
    roomToken: (account, room, { expiresInSeconds } = {}) => makeToken({ sub: account, aud: "xlvein-room", room, ...expiry(expiresInSeconds) }),
    push: ({ accounts = [], rooms = [], everyone, ...message }) => {
      const msgId = newId();
      const targets = [...accounts.map((to) => ({ to })), ...rooms.map((room) => ({ room })), ...(everyone ? [{}] : [])];
      for (const target of targets) deliver(target, message, msgId, clock.now());
      return { msgId };
    },
    addMember: (room, account) => {
      members.set(room, (members.get(room) ?? new Set()).add(account));
      for (const line of lines) if (line.account === account) line.send({ op: "sub", room });
    },
    removeMember: (room, account) => {
      members.get(room)?.delete(account);
      for (const line of lines)
        if (line.account === account && !opens(line.claims, room) && leave(line, room)) line.send({ op: "unsub", room, reason: "removed" });
    },
    refuse: (code) => {
      refusal = code;
    },
    fail: (op, code, { times = 1, retryAfterMs } = {}) => {
      for (let i = 0; i < times; i++) failures.push({ op, refusal: new Refusal(code, "the test wants it so", retryAfterMs) });
    },
    loseStore: () => {
      world.keys.clear();
      if (!world.recoverable) return;
      for (const stream of streams.values()) stream.lose();
      for (const line of lines) {
        line.send({ op: "gap", stream: "account", reason: "lost", epoch: world.stream("account", line.account).position.epoch });
        line.send({ op: "gap", stream: "app", reason: "lost", epoch: world.stream("app", "").position.epoch });
        for (const room of line.rooms) line.send({ op: "gap", room, reason: "lost", epoch: world.stream("room", room).position.epoch });
      }
    },
    close: () => {
      for (const line of lines) line.cut();
      refusal = 1006;
    },
  };
}

/** `epoch:offset:msg_id` */
function readPosition(text: string | null): Position | undefined {
  const [, epoch = "", offset, msg_id = ""] = /^(.+):(\d+):(.*)$/.exec(text ?? "") ?? [];
  return offset === undefined ? undefined : { epoch, offset: Number(offset), msg_id };
}

function parse(text: string): Record<string, unknown> {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame === "object" && frame !== null && !Array.isArray(frame)) return frame as Record<string, unknown>;
  } catch {}
  throw new Refusal(400, "the frame is not a JSON object");
}
