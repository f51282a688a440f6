// One account among very many: what it is sent all the time, and what has come of it.
import { setTimeout as sleep } from "node:timers/promises";
import { messageEnvelope } from "../../../server/src/protocol/envelope.ts";
import { Event, newMsgId } from "../../../server/src/protocol/message.ts";
import type { Bus } from "./bus.ts";
import { CANARY, type Told } from "./holder.ts";

const EVERY_MS = 5;

export interface Feed {
  /** When each number that was acknowledged had been sent; of the wall clock, ms. */
  readonly taken: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** Sends the canary its numbers until stopped. */
export function feedCanary({ store, exchange }: Bus): Feed {
  const taken = new Map<number, number>();
  let running = true;
  const send = async (n: number) => {
    const at = Date.now();
    const message = { event: Event.SYSTEM, data: `{"n":${n}}`, msgId: newMsgId(), sendAt: at };
    const { position, published } = await store.append(CANARY, message, 0);
    if (!published) await exchange.publish([{ target: CANARY, position }], messageEnvelope(message));
    taken.set(n, at);
  };
  const done = (async () => {
    for (let n = 0; running; n++) {
      // Refused while the broker is down: then it is not among those that have to arrive.
      send(n).catch(() => {});
      await sleep(EVERY_MS);
    }
  })();
  return {
    taken,
    async stop() {
      running = false;
      await done;
    },
  };
}

/** How many of the acknowledged messages have not arrived, and how many have come twice. */
export function canaryLosses(told: readonly Told[], taken: ReadonlyMap<number, number>): { readonly lost: number; readonly twice: number } {
  const numbers = told.filter((each) => each.kind === "canary").map(({ data }) => (JSON.parse(data) as { n: number }).n);
  const arrived = new Set(numbers);
  return { lost: [...taken.keys()].filter((n) => !arrived.has(n)).length, twice: numbers.length - arrived.size };
}
