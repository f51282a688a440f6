// A connection to RabbitMQ that comes back: hosts in turn, made ready by its owner each time.
import type { ChannelModel } from "amqplib";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type ConnectOptions, endConnection, openConnection, watchConnection } from "./rabbitmq-connect.ts";
import { describe, isRefusal } from "./rabbitmq-errors.ts";

/** The first and the longest pause between attempts, milliseconds; each is shortened by up to a half at random. */
const PAUSE_MS = { first: 100, most: 300 };

/** The pause after a broker has refused us, milliseconds. */
const REFUSED_PAUSE_MS = 5_000;

/** A connection that lived this long begins anew with the shortest pause, milliseconds. */
const STEADY_MS = 10_000;

/** Channels, queue and bindings that are not there by then are given up, and the connection with them, milliseconds. */
const SETUP_TIMEOUT_MS = 30_000;

export interface LinkOptions {
  /** For the log and `state()`. */
  readonly name: string;
  readonly urls: readonly string[];
  readonly heartbeatSeconds: number;
  readonly tls?: ConnectOptions["tls"];
  readonly log: Log;
  /** Makes the connection ready; the link is up when it resolves. `lost` ends the connection. */
  setup(connection: ChannelModel, lost: Lost): Promise<void>;
  /** The link is up, for the first time or again. */
  up(): void;
  /** The connection has ended, or could not be made ready. */
  down(): void;
}

/** Ends a connection; the first reason counts. */
export type Lost = (reason: Error) => void;

type State = "idle" | "connecting" | "up" | "closed";

export class Link {
  readonly #options: LinkOptions;
  #state: State = "idle";
  #detail = "not connected";
  /** Ends the current connection. */
  #lose: Lost | undefined;
  /** Ends the current pause. */
  #wake: (() => void) | undefined;
  #opened = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  /** Whether it has been up: from then on a refusal is an outage. */
  #proven = false;
  #refused = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    // It rejects also when nobody waits.
    this.#opened.promise.catch(() => {});
  }

  get up(): boolean {
    return this.#state === "up";
  }

  /** Whether the broker has refused the last attempt: somebody has to change something. */
  get refused(): boolean {
    return this.#refused;
  }

  /** `up`, or why it is not. */
  get detail(): string {
    return this.up ? "up" : this.#detail;
  }

  /** Resolves when it is up for the first time, or closed. Rejects when the broker refuses us for good; then it is closed. */
  open(): Promise<void> {
    if (this.#state === "idle") {
      this.#state = "connecting";
      this.#running = this.#run();
    }
    return this.#opened.promise;
  }

  /** Ends the current connection and makes another. */
  restart(reason: string): void {
    this.#lose?.(new Error(reason));
  }

  /** Resolves when the connection has ended. */
  async close(): Promise<void> {
    this.#state = "closed";
    this.#detail = "closed";
    this.#lose?.(new Error("closed"));
    this.#wake?.();
    this.#opened.resolve();
    await this.#running;
  }

  get #closed(): boolean {
    return this.#state === "closed";
  }

  async #run(): Promise<void> {
    const { urls } = this.#options;
    for (let attempt = 0, failures = 0; !this.#closed; attempt++) {
      const url = urls[attempt % urls.length] ?? "";
      const startedAt = performance.now();
      const error = await this.#live(url).catch((cause: unknown) => cause);
      if (this.#closed) return;
      this.#refused = isRefusal(error);
      if (this.#refused && !this.#proven) return this.#refuse(error, url);
      this.#tell(error, url);
      failures = performance.now() - startedAt > STEADY_MS ? 0 : failures + 1;
      await this.#pause(this.#refused ? REFUSED_PAUSE_MS : Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** failures));
    }
  }

  /** The life of one connection; always rejects, with the reason of its end. */
  async #live(url: string): Promise<never> {
    const { heartbeatSeconds, down } = this.#options;
    const connection = await openConnection({ ...this.#options, url });
    const { promise: ended, reject: lose } = Promise.withResolvers<never>();
    ended.catch(() => {});
    this.#lose = lose;
    const unwatch = watchConnection(connection, heartbeatSeconds, lose);
    try {
      if (this.#closed) throw new Error("closed");
      await Promise.race([this.#makeReady(connection, lose), ended]);
      this.#ready(url);
      return await ended;
    } finally {
      this.#lose = undefined;
      if (!this.#closed) this.#state = "connecting";
      unwatch();
      down();
      await endConnection(connection);
    }
  }

  async #makeReady(connection: ChannelModel, lose: Lost): Promise<void> {
    const timer = setTimeout(() => lose(new Error("channels and bindings took too long")), SETUP_TIMEOUT_MS);
    try {
      await this.#options.setup(connection, lose);
    } finally {
      clearTimeout(timer);
    }
  }

  #ready(url: string): void {
    if (this.#closed) return;
    const { name, log, up } = this.#options;
    this.#state = "up";
    this.#detail = "";
    this.#proven = true;
    this.#refused = false;
    log.info({ link: name, broker: new URL(url).host }, "connected to RabbitMQ");
    up();
    this.#opened.resolve();
  }

  /** Says it once, however many attempts fail in the same way. */
  #tell(error: unknown, url: string): void {
    const { name, log } = this.#options;
    const broker = new URL(url).host;
    const detail = `${broker}: ${describe(error)}`;
    if (detail === this.#detail) return;
    this.#detail = detail;
    log.warn({ link: name, broker, reason: describe(error) }, "not connected to RabbitMQ");
  }

  #refuse(error: unknown, url: string): void {
    this.#state = "closed";
    this.#detail = `${new URL(url).host}: ${describe(error)}`;
    this.#opened.reject(new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, `RabbitMQ refuses us at ${this.#detail}`));
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms * (0.5 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
