// What every exchange promises; run against each implementation.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery, Exchange } from "../../server/src/exchange/exchange.ts";
import { type Envelope, kickEnvelope, loadEnvelope, membershipEnvelope, messageEnvelope } from "../../server/src/protocol/envelope.ts";
import type { EntryPosition } from "../../server/src/protocol/position.ts";
import { accountTarget, appTarget, roomTarget, type Target, targetId } from "../../server/src/protocol/target.ts";

/** An envelope that has arrived, as `deliver` was told. */
export interface Received {
  readonly target: Target;
  readonly position: EntryPosition | undefined;
  readonly envelope: Envelope;
}

/** Collects what is delivered, and resumed, and tells when enough has come. */
export function collector() {
  const received: Received[] = [];
  const resumptions: (readonly Target[])[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const until = async (enough: () => boolean): Promise<void> => {
    while (!enough()) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return {
    received,
    /** One element per call of `resumed`. */
    resumptions,
    deliver({ target, position }: Delivery, envelope: Envelope): void {
      received.push({ target, position, envelope });
      wake();
    },
    resumed(targets: readonly Target[]): void {
      resumptions.push(targets);
      wake();
    },
    /** Resolves when `n` envelopes have arrived since the start. */
    count: (n: number): Promise<void> => until(() => received.length >= n),
    /** Resolves when `resumed` has named this many targets since the start. */
    resumedCount: (n: number): Promise<void> => until(() => resumptions.flat().length >= n),
  };
}

/** A message whose identity and data say `n`. */
export function numbered(n: number): Envelope {
  return messageEnvelope({ msgId: `m${n}`, from: "sender", event: 1, data: `{"n":${n},"big":12345678901234567890}`, sendAt: n });
}

/** Deliveries of the targets, without a place in a stream. */
export function unplaced(...targets: Target[]): Delivery[] {
  return targets.map((target) => ({ target, position: undefined }));
}

export interface ContractOptions {
  /** Makes another node on the same bus; without it the tests of several nodes publish through the node itself. */
  createPeer?: () => Promise<Exchange> | Exchange;
}

/**
 * Registers the tests of an exchange. `create` makes a node that is not open yet; each test closes its own.
 * A broker that several tests share must hold nothing back from one to the next: targets are the same in all.
 */
export function exchangeContract(name: string, create: () => Promise<Exchange> | Exchange, { createPeer }: ContractOptions = {}): void {
  const each = (title: string, run: (exchange: Exchange, inbox: ReturnType<typeof collector>) => Promise<void>) =>
    test(`${name}: ${title}`, { timeout: 30_000 }, async () => {
      const exchange = await create();
      const inbox = collector();
      try {
        await exchange.open(inbox.deliver, inbox.resumed);
        await run(exchange, inbox);
      } finally {
        await exchange.close();
      }
    });

  each("what is published to a held target is delivered whole, in order", async (exchange, inbox) => {
    const target = accountTarget("app", "user_1");
    await exchange.hold(target);
    for (let n = 0; n < 200; n++) await exchange.publish(unplaced(target), numbered(n));
    await inbox.count(200);
    assert.deepEqual(
      inbox.received,
      Array.from({ length: 200 }, (_, n) => ({ target, position: undefined, envelope: numbered(n) })),
    );
  });

  each("publishes that do not wait for each other stay in order", async (exchange, inbox) => {
    const target = accountTarget("app", "user_1");
    await exchange.hold(target);
    await Promise.all(Array.from({ length: 500 }, (_, n) => exchange.publish(unplaced(target), numbered(n))));
    await inbox.count(500);
    assert.deepEqual(
      inbox.received.map(({ envelope }) => envelope.kind === "message" && envelope.message.sendAt),
      Array.from({ length: 500 }, (_, n) => n),
    );
  });

  each("each target's position travels with the envelope", async (exchange, inbox) => {
    const [first, later, none] = [accountTarget("app", "first"), accountTarget("app", "later"), accountTarget("app", "none")];
    const deliveries: Delivery[] = [
      { target: first, position: { epoch: "e1", offset: 1, previous: "" } },
      { target: later, position: { epoch: "e2", offset: 9_007_199_254_740_991, previous: "m-before" } },
      { target: none, position: undefined },
    ];
    for (const { target } of deliveries) await exchange.hold(target);
    await exchange.publish(deliveries, numbered(1));
    await inbox.count(3);
    const order = [first, later, none].map(({ name: account }) => account);
    inbox.received.sort((a, b) => order.indexOf(a.target.name) - order.indexOf(b.target.name));
    assert.deepEqual(
      inbox.received,
      deliveries.map((delivery) => ({ ...delivery, envelope: numbered(1) })),
    );
  });

  each("targets that are not held, or no longer, receive nothing", async (exchange, inbox) => {
    const [held, left, never] = [accountTarget("app", "held"), accountTarget("app", "left"), accountTarget("app", "never")];
    await exchange.hold(held);
    await exchange.hold(left);
    exchange.release(left);
    await exchange.publish(unplaced(left, never), numbered(1));
    await exchange.publish(unplaced(held), numbered(2));
    await inbox.count(1);
    // Envelopes under way when a target is released may still arrive; of one never held, none may.
    const names = inbox.received.map(({ target }) => target.name).filter((account) => account !== "left");
    assert.deepEqual(names, ["held"]);
  });

  each("a hold after a release receives again, whatever was under way", async (exchange, inbox) => {
    const target = accountTarget("app", "back");
    await exchange.hold(target);
    for (let n = 0; n < 20; n++) {
      exchange.release(target);
      if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      await exchange.hold(target);
      await exchange.publish(unplaced(target), numbered(n));
      await inbox.count(n + 1);
    }
    assert.equal(inbox.received.length, 20);
  });

  each("several holds of one target at once all resolve, and it is delivered once", async (exchange, inbox) => {
    const target = accountTarget("app", "twice");
    await Promise.all([exchange.hold(target), exchange.hold(target), exchange.hold(target)]);
    await exchange.hold(target);
    await exchange.publish(unplaced(target), numbered(1));
    await exchange.publish(unplaced(target), numbered(2));
    await inbox.count(2);
    assert.deepEqual(
      inbox.received.map(({ envelope }) => envelope),
      [numbered(1), numbered(2)],
    );
  });

  each("releasing what is not held is fine", async (exchange, inbox) => {
    const target = accountTarget("app", "user_1");
    exchange.release(target);
    await exchange.hold(target);
    await exchange.publish(unplaced(target), numbered(1));
    await inbox.count(1);
  });

  each("one publish reaches each of its targets once", async (exchange, inbox) => {
    const targets = ["a", "b", "c"].map((account) => accountTarget("app", account));
    for (const target of targets) await exchange.hold(target);
    await exchange.publish(unplaced(...targets), kickEnvelope("connection"));
    await inbox.count(3);
    assert.deepEqual(inbox.received.map(({ target }) => target.name).sort(), ["a", "b", "c"]);
    assert.ok(inbox.received.every(({ envelope }) => envelope.kind === "kick" && envelope.connectionId === "connection"));
  });

  each("one publish reaches a thousand targets", async (exchange, inbox) => {
    const targets = Array.from({ length: 1_000 }, (_, n) => accountTarget("app", `member_${n}`));
    await Promise.all(targets.map((target) => exchange.hold(target)));
    await exchange.publish(unplaced(...targets), numbered(1));
    await inbox.count(1_000);
    assert.deepEqual(new Set(inbox.received.map(({ target }) => target.name)), new Set(targets.map(({ name: account }) => account)));
    assert.equal(inbox.received.length, 1_000);
  });

  each("a publish to nobody resolves", async (exchange) => {
    await exchange.publish([], numbered(1));
    await exchange.publish(unplaced(accountTarget("app", "nobody")), numbered(2));
  });

  each("long, odd and hostile names never collide, within an application or across", async (exchange, inbox) => {
    const names = ["a", "a:b", "*", "#", "a.*", "", " ", "\n", "__proto__", "{a}", "用户_2", "😀", "x".repeat(4_096), "7:accounta"];
    const apps = ["a", "a7:account", "1:a", "*", "a:", "{a"];
    const targets = apps.flatMap((app) => names.map((account) => accountTarget(app, account)));
    for (const target of targets) await exchange.hold(target);
    for (const [n, target] of targets.entries()) await exchange.publish(unplaced(target), numbered(n));
    await inbox.count(targets.length);
    assert.deepEqual(
      inbox.received.map(({ target, envelope }) => [target.app, target.name, envelope.kind === "message" && envelope.message.msgId]).sort(),
      targets.map(({ app, name: account }, n) => [app, account, `m${n}`]).sort(),
    );
  });

  each("an account, a room and the application are targets of their own, in one publish or in several", async (exchange, inbox) => {
    const names = ["", "a", "room"];
    const targets = ["app", "room"].flatMap((app) => [appTarget(app), ...names.flatMap((each) => [accountTarget(app, each), roomTarget(app, each)])]);
    for (const target of targets) await exchange.hold(target);
    for (const [n, target] of targets.entries()) await exchange.publish(unplaced(target), numbered(n));
    await inbox.count(targets.length);
    const heard = inbox.received.map(({ target, envelope }) => [target.app, target.kind, target.name, envelope.kind === "message" && envelope.message.msgId]);
    assert.deepEqual(heard.sort(), targets.map(({ app, kind, name: each }, n) => [app, kind, each, `m${n}`]).sort());
    inbox.received.length = 0;
    await exchange.publish(unplaced(...targets), numbered(0));
    await inbox.count(targets.length);
    const idsOf = (list: readonly Target[]) => list.map(targetId).sort();
    assert.deepEqual(idsOf(inbox.received.map(({ target }) => target)), idsOf(targets));
  });

  each("data, members and names come through whatever they hold", async (exchange, inbox) => {
    const target = accountTarget("app", "user_1");
    await exchange.hold(target);
    const sent = [
      messageEnvelope({ msgId: "m", event: 0, data: "{}", sendAt: 1 }),
      messageEnvelope({ msgId: "m", from: "\n\u0000\ud83d\ude00", event: 1, data: '{\n "a" : "\\u0000\\n", "用户": 1e400 }', sendAt: 1 }),
      messageEnvelope({ msgId: "m", from: "a", event: 2, data: `{"long":"${"é".repeat(60_000)}"}`, sendAt: 1 }),
      kickEnvelope(),
      kickEnvelope("c\n1"),
      messageEnvelope({ msgId: "m", event: 1, key: "k\n", exclude: "c:1", trace: "00-0af7-b7ad-01", data: "{}", sendAt: 1 }),
      membershipEnvelope("room\n1", true),
      membershipEnvelope("", false),
      loadEnvelope("node\n1", 20_000),
    ];
    for (const envelope of sent) await exchange.publish(unplaced(target), envelope);
    await inbox.count(sent.length);
    assert.deepEqual(
      inbox.received.map(({ envelope }) => envelope),
      sent,
    );
  });

  if (createPeer) severalNodes(name, create, createPeer);

  each("it is up while open, and closing twice is fine", async (exchange) => {
    assert.equal(exchange.state().up, true);
    assert.ok(exchange.state().detail.length > 0);
    await exchange.close();
    assert.equal(exchange.state().up, false);
  });

  test(`${name}: what is closed delivers nothing more, and closing before opening is fine`, async () => {
    const exchange = await create();
    assert.equal(exchange.state().up, false);
    await exchange.close();
    assert.equal(exchange.state().up, false);
  });
}

function severalNodes(name: string, create: () => Promise<Exchange> | Exchange, createPeer: () => Promise<Exchange> | Exchange): void {
  test(`${name}: every node that holds a target receives it, and no other does`, { timeout: 30_000 }, async () => {
    const nodes = [await create(), await createPeer(), await createPeer()];
    const inboxes = nodes.map(() => collector());
    try {
      for (const [n, node] of nodes.entries()) await node.open(inboxes[n]?.deliver ?? assert.fail(), inboxes[n]?.resumed ?? assert.fail());
      const [both, third, last] = [accountTarget("app", "both"), accountTarget("app", "third"), accountTarget("app", "last")];
      await Promise.all([nodes[0]?.hold(both), nodes[1]?.hold(both), nodes[2]?.hold(third), ...nodes.map((node) => node.hold(last))]);
      for (let n = 0; n < 50; n++) await nodes[n % 3]?.publish(unplaced(both), numbered(n));
      await nodes[0]?.publish(unplaced(third), numbered(50));
      // In order behind the others from each publisher, so that what was sent to a node by mistake has come before it.
      for (const node of nodes) await node.publish(unplaced(last), numbered(51));
      await Promise.all([inboxes[0]?.count(53), inboxes[1]?.count(53), inboxes[2]?.count(4)]);
      assert.deepEqual(
        inboxes.map(({ received }) => received.filter(({ target }) => target.name !== "last").map(({ target }) => target.name)),
        [Array(50).fill("both"), Array(50).fill("both"), ["third"]],
      );
    } finally {
      await Promise.all(nodes.map((node) => node.close()));
    }
  });
}
