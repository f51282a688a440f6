// The way out to RabbitMQ: every publish is confirmed by the broker, or rejects in time.
import type { ChannelModel, ConfirmChannel, Message } from "amqplib";
import { Deadlines } from "../deadline.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { describe } from "./rabbitmq-errors.ts";
import type { Lost } from "./rabbitmq-link.ts";

/** A publish that is not confirmed by then rejects, milliseconds. */
export const CONFIRM_TIMEOUT_MS = 1_500;

/** Publishes that the broker has neither confirmed nor refused yet; one more rejects at once. */
export const MAX_UNCONFIRMED = 10_000;

/** The bytes of those; what would exceed it rejects at once. */
export const MAX_UNCONFIRMED_BYTES = 67_108_864;

export interface PublisherOptions {
  /** The exchange's name on the broker. */
  readonly exchange: string;
  /** A message sent with `mandatory` came back: no queue is bound to its key. */
  returned(content: string): void;
  /** The broker says that the exchange is gone, and every binding with it. */
  missing(): void;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #deadlines = new Deadlines(CONFIRM_TIMEOUT_MS);
  #channel: ConfirmChannel | undefined;
  #blocked: string | undefined;
  #count = 0;
  #bytes = 0;
  #whenSettled: (() => void) | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Why the broker takes no messages at present (`low on memory`); `undefined` when it does. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** Makes a fresh connection ready for publishing. */
  async attach(connection: ChannelModel, lost: Lost): Promise<void> {
    const { exchange, returned, missing } = this.#options;
    connection.on("blocked", (reason) => {
      this.#blocked = reason;
    });
    connection.on("unblocked", () => {
      this.#blocked = undefined;
    });
    const channel = await connection.createConfirmChannel();
    channel.on("error", (error: Error & { code?: number }) => {
      if (error.code === 404) missing();
      lost(error);
    });
    channel.on("close", () => lost(new Error("channel closed")));
    channel.on("return", ({ content }: Message) => returned(String(content)));
    await channel.assertExchange(exchange, "direct", { durable: true });
    this.#channel = channel;
  }

  /** The connection has ended; the library has rejected what was unconfirmed, or does so when the socket is gone. */
  detach(): void {
    this.#channel = undefined;
    this.#blocked = undefined;
  }

  /** One message for all queues that are bound to any of the keys, once each. Resolves on the broker's confirm; rejects with EXCHANGE_UNAVAILABLE. */
  async publish([key = "", ...others]: readonly string[], text: string, { mandatory = false } = {}): Promise<void> {
    const content = Buffer.from(text);
    const channel = this.#accepting(content.length);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#count++;
    this.#bytes += content.length;
    const intime = this.#deadlines.add(() => reject(unavailable(`RabbitMQ has not confirmed within ${CONFIRM_TIMEOUT_MS} ms`)));
    // What timed out counts until the broker or the end of the channel settles it: it still takes memory.
    const settle = (error: unknown) => {
      this.#count--;
      this.#bytes -= content.length;
      if (this.#count === 0) this.#whenSettled?.();
      intime();
      if (error) reject(unavailable(`RabbitMQ has not accepted the message: ${describe(error)}`, error));
      else resolve();
    };
    try {
      channel.publish(this.#options.exchange, key, content, others.length === 0 ? { mandatory } : { mandatory, BCC: others }, settle);
    } catch (error) {
      settle(error);
    }
    return promise;
  }

  /** Resolves when the broker has answered every publish, or the time for it is up. */
  async settled(): Promise<void> {
    if (this.#count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenSettled = resolve;
    const timer = setTimeout(resolve, CONFIRM_TIMEOUT_MS);
    await promise;
    clearTimeout(timer);
  }

  #accepting(bytes: number): ConfirmChannel {
    if (!this.#channel) throw unavailable("not connected to RabbitMQ");
    if (this.#blocked !== undefined) throw unavailable(`RabbitMQ takes no messages: ${this.#blocked}`);
    if (this.#count >= MAX_UNCONFIRMED || this.#bytes + bytes > MAX_UNCONFIRMED_BYTES) throw unavailable("too many messages wait for RabbitMQ's confirmation");
    return this.#channel;
  }
}

function unavailable(message: string, cause?: unknown): XlveinError {
  return new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, message, { cause });
}
