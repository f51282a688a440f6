// The messages of a connection that store and exchange have not accepted yet: to different receivers together, to the same one after the other.
import type { OpId } from "../../protocol/frames.ts";
import type { PubOp } from "../../protocol/ops.ts";
import { targetId } from "../../protocol/target.ts";
import type { OpContext } from "../context.ts";
import { pub, receiverOf } from "./pub.ts";

/** Messages under way together. */
const MOST = 16;

const ignore = () => {};

export class Pubs {
  readonly #session: OpContext;
  readonly #fail: (id: OpId, error: unknown) => void;
  /** By receiver; none rejects. */
  readonly #underWay = new Map<string, Promise<void>>();
  #answered = Promise.resolve();

  /** `fail` answers an op with an error. */
  constructor(session: OpContext, fail: (id: OpId, error: unknown) => void) {
    this.#session = session;
    this.#fail = fail;
  }

  /** Hands a message over once those before it to the same receiver have been accepted or refused; resolves then. Its answer comes behind those of the messages before it. Never rejects. */
  async start(op: PubOp): Promise<void> {
    const receiver = targetId(receiverOf(this.#session, op));
    await this.#underWay.get(receiver);
    while (this.#underWay.size >= MOST) await Promise.race(this.#underWay.values());
    const answer = pub(this.#session, op);
    this.#underWay.set(
      receiver,
      answer.then(ignore, ignore).then(() => void this.#underWay.delete(receiver)),
    );
    this.#answered = this.#answered
      .then(() => answer)
      .then(
        (text) => this.#session.send(text),
        (error: unknown) => this.#fail(op.id, error),
      );
  }

  /** Resolves when every message handed over has been answered. */
  answered(): Promise<void> {
    return this.#answered;
  }
}
