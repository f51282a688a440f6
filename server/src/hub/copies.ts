// The frames of one message: each made once, when the first connection needs it, and shared by all that get the same bytes.
import { encodeClassic } from "../protocol/classic.ts";
import { encodeMessage } from "../protocol/frames.ts";
import type { Message } from "../protocol/message.ts";
import type { EntryPosition } from "../protocol/position.ts";
import { textFrame } from "../protocol/ws-frame.ts";
import type { Connection } from "./connection.ts";
import type { Outgoing, Stream, StreamEntry } from "./outgoing.ts";

export class Copies {
  readonly #stream: Stream;
  readonly #message: Message;
  readonly #entry: StreamEntry;
  #full: Outgoing | undefined;
  #classic: Outgoing | undefined;
  #classicAccount: string | undefined;

  constructor(stream: Stream, message: Message, position: EntryPosition | undefined) {
    this.#stream = stream;
    this.#message = message;
    this.#entry = { stream, position, key: message.key };
  }

  /** What a connection is sent of the message. */
  for({ protocol, account }: Connection): Outgoing {
    if (protocol === "v2") {
      this.#full ??= this.#outgoing(encodeMessage(this.#stream.target, this.#message, this.#entry.position));
      return this.#full;
    }
    // Only everyone's message names each receiver.
    if (this.#classic && (this.#stream.target.kind !== "app" || this.#classicAccount === account)) return this.#classic;
    this.#classicAccount = account;
    this.#classic = this.#outgoing(encodeClassic(this.#stream.target, account, this.#message));
    return this.#classic;
  }

  #outgoing(text: string): Outgoing {
    return { frame: textFrame(text), entry: this.#entry };
  }
}
