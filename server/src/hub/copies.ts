// The frames of one message: each made once, when the first connection needs it, and shared by all that get the same bytes.
import { encodeClassic } from "../protocol/classic.ts";
import { encodeMessage } from "../protocol/frames.ts";
import type { Message } from "../protocol/message.ts";
import type { EntryPosition } from "../protocol/position.ts";
import { textFrame } from "../protocol/ws-frame.ts";
import type { Connection } from "./connection.ts";
import { deflate } from "./deflate.ts";
import type { Outgoing, Stream, StreamEntry } from "./outgoing.ts";

export class Copies {
  readonly #stream: Stream;
  readonly #message: Message;
  readonly #entry: StreamEntry;
  #full: Outgoing | undefined;
  #fullDeflated: Outgoing | undefined;
  #classic: Outgoing | undefined;
  #classicDeflated: Outgoing | undefined;
  #classicAccount: string | undefined;

  constructor(stream: Stream, message: Message, position: EntryPosition | undefined) {
    this.#stream = stream;
    this.#message = message;
    this.#entry = { stream, position, key: message.key };
  }

  /** What a connection is sent of the message. */
  for({ protocol, account, deflates }: Connection): Outgoing {
    if (protocol === "v2") {
      this.#full ??= this.#outgoing(encodeMessage(this.#stream.target, this.#message, this.#entry.position));
      if (!deflates) return this.#full;
      this.#fullDeflated ??= this.#deflated(this.#full);
      return this.#fullDeflated;
    }
    // Only everyone's message names each receiver: it would have to be compressed for each of them.
    const forAll = this.#stream.target.kind !== "app";
    if (!this.#classic || !(forAll || this.#classicAccount === account)) {
      this.#classicAccount = account;
      this.#classic = this.#outgoing(encodeClassic(this.#stream.target, account, this.#message));
    }
    if (!deflates || !forAll) return this.#classic;
    this.#classicDeflated ??= this.#deflated(this.#classic);
    return this.#classicDeflated;
  }

  #outgoing(text: string): Outgoing {
    return { frame: textFrame(text), entry: this.#entry };
  }

  #deflated(plain: Outgoing): Outgoing {
    const frame = deflate(plain.frame);
    return frame === plain.frame ? plain : { frame, entry: this.#entry };
  }
}
