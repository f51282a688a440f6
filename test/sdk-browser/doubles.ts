// Hand-made stand-ins for time, the WebSocket class and the page: every one does only what a test tells it to.
import {
  type ClientOptions,
  type Clock,
  createClient,
  type GapEvent,
  type Message,
  type PageLike,
  type StateChange,
  type WebSocketLike,
  type XlveinError,
} from "../../sdk-browser/src/index.ts";

/** Lets everything that is ready run: promise reactions and what they start. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** When every fake clock begins, milliseconds since 1970. */
export const START_MS = 1_000_000;

export class FakeClock implements Clock {
  #now = START_MS;
  #timers = new Map<number, { at: number; run: () => void }>();
  #next = 0;
  /** What `random()` answers: 0.5 until told otherwise. */
  chance: () => number = () => 0.5;

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance();
  }

  after(ms: number, run: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#now + ms, run });
    return () => this.#timers.delete(id);
  }

  /** Timers that have not run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, running what falls due on the way, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
      await settle();
    }
    this.#now = end;
  }
}

export class FakeSocket implements WebSocketLike {
  readyState = 0;
  bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: string[] = [];
  readonly url: string;
  readonly protocols: string[] | undefined;
  /** When the client began to close it, by the fake clock. */
  closingAt = Infinity;
  readonly #clock: FakeClock;

  constructor(url: string, protocols: string[] | undefined, clock: FakeClock) {
    this.url = url;
    this.protocols = protocols;
    this.#clock = clock;
  }

  send(data: string): void {
    if (this.readyState === 0) throw new DOMException("Still in CONNECTING state", "InvalidStateError");
    if (this.readyState === 1) this.sent.push(data);
  }

  close(): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.closingAt = this.#clock.now();
  }

  /** The server accepts the handshake, and says hello. */
  accept(more: object = {}): void {
    this.open();
    this.receive(hello(this.#clock.now(), more));
  }

  /** The server accepts the handshake, and says nothing yet. */
  open(): void {
    this.readyState = 1;
    this.onopen?.({ type: "open" } as never);
  }

  /** The frames sent, parsed; those of one op only. */
  ops(op?: string): Record<string, unknown>[] {
    return this.sent.map((text) => JSON.parse(text) as Record<string, unknown>).filter((frame) => op === undefined || frame["op"] === op);
  }

  /** Answers the last op sent, or the one given. */
  reply(more: object = {}, to: Record<string, unknown> | undefined = this.ops().at(-1)): void {
    this.receive(JSON.stringify({ op: "reply", id: to?.["id"], ...more }));
  }

  refuseOp(code: number, more: object = {}, to: Record<string, unknown> | undefined = this.ops().at(-1)): void {
    this.receive(JSON.stringify({ op: "error", id: to?.["id"], code, message: "no", retryable: false, ...more }));
  }

  /** The token that was offered. */
  get token(): string | undefined {
    return this.protocols?.[1]?.replace("xlvein.token.", "");
  }

  receive(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  /** The handshake fails: in browsers a `close` follows the `error`, in Node 22 nothing does. */
  fail(closes: boolean): void {
    if (closes) this.readyState = 3;
    this.onerror?.({ type: "error" } as never);
    if (closes) this.onclose?.({ code: 1006, reason: "" } as never);
  }

  /** The socket ends: by the server, the network, or as the answer to `close()`. */
  end(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }
}

/** A WebSocket class whose sockets the test holds. */
export class FakeSockets {
  readonly all: FakeSocket[] = [];
  /** The most sockets that were not closed at once; those that have been closing for `givenUpMs` are counted as gone. */
  most = 0;
  /** Thrown by the constructor instead of making a socket. */
  refusal: unknown;
  readonly WebSocket: new (
    url: string,
    protocols?: string[],
  ) => FakeSocket;

  constructor(clock: FakeClock, givenUpMs = 1_000) {
    const sockets = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols?: string[]) {
        if (sockets.refusal) throw sockets.refusal;
        super(url, protocols, clock);
        sockets.all.push(this);
        sockets.most = Math.max(sockets.most, sockets.all.filter((socket) => socket.readyState < 3 && clock.now() - socket.closingAt < givenUpMs).length);
      }
    };
  }

  get last(): FakeSocket {
    const socket = this.all.at(-1);
    if (!socket) throw new Error("no socket has been made");
    return socket;
  }
}

export class FakePage implements PageLike {
  readonly navigator = { onLine: true };
  readonly document = { visibilityState: "visible" };
  readonly #listeners = new Set<readonly [string, () => void]>();

  addEventListener(type: string, listener: () => void): void {
    this.#listeners.add([type, listener]);
  }

  removeEventListener(type: string, listener: () => void): void {
    for (const entry of this.#listeners) if (entry[0] === type && entry[1] === listener) this.#listeners.delete(entry);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  fire(type: string): void {
    for (const [name, listener] of [...this.#listeners]) if (name === type) listener();
  }

  network(onLine: boolean): void {
    this.navigator.onLine = onLine;
    this.fire(onLine ? "online" : "offline");
  }

  look(visible: boolean): void {
    this.document.visibilityState = visible ? "visible" : "hidden";
    this.fire("visibilitychange");
  }
}

/** A hello; streams are there and empty, unless `more` says otherwise. */
export function hello(time: number, more: object = {}): string {
  const position = (epoch: string) => ({ position: { epoch, offset: 0, msg_id: "" } });
  return JSON.stringify({
    op: "hello",
    connection_id: "c1",
    account: "user_1",
    server_version: "0.1.0",
    ping_ms: 25_000,
    max_frame_bytes: 65_536,
    recoverable: true,
    time,
    rights: ["direct", "publish", "history"],
    rooms: [],
    streams: { account: position("a"), app: position("p") },
    ...more,
  });
}

/** A client on doubles, with everything it announced. */
export function fakeClient(options: Partial<ClientOptions> = {}) {
  const clock = new FakeClock();
  const sockets = new FakeSockets(clock);
  const page = new FakePage();
  const client = createClient({ url: "https://push.example.com", appKey: "test", token: "t", WebSocket: sockets.WebSocket, page, clock, ...options });
  const states: StateChange[] = [];
  const errors: XlveinError[] = [];
  const messages: Message[] = [];
  const gaps: GapEvent[] = [];
  client.on("state", (change) => states.push(change));
  client.on("error", (error) => errors.push(error));
  client.on("message", (message) => messages.push(message));
  client.on("gap", (gap) => gaps.push(gap));
  /** Waits until the client has made another socket. */
  async function attempted(): Promise<void> {
    for (const { length } = sockets.all; sockets.all.length === length; ) await clock.advance(500);
  }

  return {
    client,
    clock,
    sockets,
    page,
    states,
    errors,
    messages,
    gaps,
    /** Connects and accepts; `more` is for the hello. */
    connected: async (more: object = {}) => {
      const ready = client.connect();
      await settle();
      sockets.last.accept(more);
      await ready;
    },
    /** The connection breaks; a new one is there, with this in its hello. */
    reconnected: async (more: object = {}) => {
      sockets.last.end();
      await attempted();
      sockets.last.accept(more);
      await settle();
    },
    attempted,
    /** Closes, lets the socket end, and so lets the test end. */
    closed: async () => {
      const gone = client.close();
      for (const socket of sockets.all) if (socket.readyState === 2) socket.end(1000);
      await gone;
    },
  };
}

/** A JWT's shape with this payload; its signature is never looked at by a client. */
export function fakeToken(payload: object): string {
  return `h.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.s`;
}

let frames = 0;

/** A message frame of the account's stream, where the server keeps no streams unless `more` says otherwise. Each has an id of its own. */
export function frame(data: object, more: object = {}): string {
  return JSON.stringify({ to: "user_1", event: 0, data, msg_id: `m${++frames}`, send_at: 1_700_000_000_000, ...more });
}
