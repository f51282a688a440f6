// What every exchange promises; run against each implementation.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exchange } from "../../server/src/exchange/exchange.ts";
import { type Envelope, kickEnvelope, messageEnvelope } from "../../server/src/protocol/envelope.ts";
import { accountTarget, type Target } from "../../server/src/protocol/target.ts";

/** Collects what is delivered and tells when enough has come. */
export function collector() {
  const received: { target: Target; envelope: Envelope }[] = [];
  const waiting: (() => void)[] = [];
  return {
    received,
    deliver(target: Target, envelope: Envelope): void {
      received.push({ target, envelope });
      for (const wake of waiting.splice(0)) wake();
    },
    async count(n: number): Promise<void> {
      while (received.length < n) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

function envelope(n: number): Envelope {
  return messageEnvelope({ msgId: `m${n}`, from: "sender", event: 1, data: `{"n":${n},"big":12345678901234567890}`, sendAt: n });
}

/** Registers the tests of an exchange. */
export function exchangeContract(name: string, create: () => Promise<Exchange> | Exchange): void {
  const each = (title: string, run: (exchange: Exchange) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const exchange = await create();
      try {
        await run(exchange);
      } finally {
        await exchange.close();
      }
    });

  each("what is published to a held target is delivered whole, in order", async (exchange) => {
    const inbox = collector();
    await exchange.open(inbox.deliver);
    const target = accountTarget("app", "user_1");
    await exchange.hold(target);
    for (let n = 0; n < 200; n++) await exchange.publish([target], envelope(n));
    await inbox.count(200);
    assert.deepEqual(
      inbox.received,
      Array.from({ length: 200 }, (_, n) => ({ target, envelope: envelope(n) })),
    );
  });

  each("targets that are not held, or no longer, receive nothing", async (exchange) => {
    const inbox = collector();
    await exchange.open(inbox.deliver);
    const [held, left, never] = [accountTarget("app", "held"), accountTarget("app", "left"), accountTarget("app", "never")];
    await exchange.hold(held);
    await exchange.hold(left);
    exchange.release(left);
    await exchange.publish([left, never], envelope(1));
    await exchange.publish([held], envelope(2));
    await inbox.count(1);
    assert.deepEqual(inbox.received, [{ target: held, envelope: envelope(2) }]);
  });

  each("one publish reaches each of its targets once", async (exchange) => {
    const inbox = collector();
    await exchange.open(inbox.deliver);
    const targets = ["a", "b", "c"].map((account) => accountTarget("app", account));
    for (const target of targets) await exchange.hold(target);
    await exchange.publish(targets, kickEnvelope("connection"));
    await inbox.count(3);
    assert.deepEqual(new Set(inbox.received.map(({ target }) => target.name)), new Set(["a", "b", "c"]));
    assert.ok(inbox.received.every(({ envelope: each }) => each.kind === "kick" && each.connectionId === "connection"));
  });

  each("long, odd and hostile names never collide, within an application or across", async (exchange) => {
    const inbox = collector();
    await exchange.open(inbox.deliver);
    const names = ["a", "a:b", "*", "#", "a.*", "", " ", "\n", "__proto__", "用户_2", "😀", "x".repeat(4_096), "7:accounta"];
    const apps = ["a", "a7:account", "1:a", "*", "a:"];
    const targets = apps.flatMap((app) => names.map((account) => accountTarget(app, account)));
    for (const target of targets) await exchange.hold(target);
    for (const [n, target] of targets.entries()) await exchange.publish([target], envelope(n));
    await inbox.count(targets.length);
    assert.deepEqual(
      inbox.received.map(({ target, envelope: each }) => [target.app, target.name, each.kind === "message" && each.message.msgId]).sort(),
      targets.map(({ app, name: account }, n) => [app, account, `m${n}`]).sort(),
    );
  });

  each("it is up while open, and closing twice is fine", async (exchange) => {
    await exchange.open(() => {});
    assert.equal(exchange.state().up, true);
    await exchange.close();
    assert.equal(exchange.state().up, false);
  });
}
