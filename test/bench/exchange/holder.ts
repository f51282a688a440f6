// A process that holds many accounts, and tells its parent when they are held again and what the canary has received.
import type { Target } from "../../../server/src/protocol/target.ts";
import { accountTarget } from "../../../server/src/protocol/target.ts";
import { type BusOptions, createBus } from "./bus.ts";

export const CANARY = accountTarget("app", "canary");

/** What the parent is told; times are of the wall clock, ms. */
export type Told =
  | { readonly kind: "held" }
  | { readonly kind: "resumed"; readonly accounts: number; readonly at: number }
  | { readonly kind: "compared"; readonly at: number }
  | { readonly kind: "canary"; readonly data: string; readonly at: number };

const HOLD_AT_ONCE = 500;

async function main(options: BusOptions & { accounts: number }): Promise<void> {
  const tell = (told: Told) => void process.send?.(told);
  const bus = createBus(options, (target, envelope) => {
    if (target.name === CANARY.name && envelope.kind === "message") tell({ kind: "canary", data: envelope.message.data, at: Date.now() });
  });
  await bus.open((targets) => {
    tell({ kind: "resumed", accounts: targets.length, at: Date.now() });
    void bus.order.compare(targets).then(() => tell({ kind: "compared", at: Date.now() }));
  });
  const hold = async (target: Target) => {
    await bus.exchange.hold(target);
    await bus.order.follow(target);
  };
  // The canary among the others, as any account would be.
  for (let from = 0; from < options.accounts; from += HOLD_AT_ONCE) {
    await Promise.all(Array.from({ length: HOLD_AT_ONCE }, (_, n) => hold(accountTarget("app", `user_${from + n}`))));
    if (from === Math.floor(options.accounts / 2 / HOLD_AT_ONCE) * HOLD_AT_ONCE) await hold(CANARY);
  }
  tell({ kind: "held" });
}

const [text] = process.argv.slice(2);
if (text !== undefined && process.send) await main(JSON.parse(text) as BusOptions & { accounts: number });
