// Nodes of the release before run beside nodes of this one: on Redis and on RabbitMQ each reads what the other writes, as long as this one writes version 1.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Redis } from "ioredis";
import { parseRabbitmqUrl } from "../../server/src/config/broker-url.ts";
import { createRabbitmqExchange } from "../../server/src/exchange/rabbitmq.ts";
import { createRedisExchange } from "../../server/src/exchange/redis.ts";
import { decodeOnChannel, encodeBody, encodeOnChannel } from "../../server/src/protocol/codec.ts";
import { decodeShared, encodeShared } from "../../server/src/protocol/codec-shared.ts";
import { type Envelope, kickEnvelope, membershipEnvelope, messageEnvelope, versionFor } from "../../server/src/protocol/envelope.ts";
import type { EntryPosition } from "../../server/src/protocol/position.ts";
import { accountTarget, appTarget, roomTarget, type Target } from "../../server/src/protocol/target.ts";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import { createRedisStore } from "../../server/src/store/redis.ts";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { envelopeVectors } from "../protocol/envelope-vectors.ts";
import { collector, unplaced } from "./contract.ts";
import * as previous from "./previous/codec.ts";
import * as previousShared from "./previous/codec-shared.ts";
import type { Envelope as PreviousEnvelope } from "./previous/envelope.ts";
import { channelName } from "./previous/names.ts";
import { bucketKey, bucketOf, DEFAULT_BUCKETS } from "./previous/rabbitmq-buckets.ts";
import type { Target as PreviousTarget } from "./previous/target.ts";
import { plainChannel, until } from "./rabbitmq-node.ts";
import { silent } from "./redis-node.ts";

const COUNT = 300;

/** The same in every run. */
function randomness(seed: number) {
  let state = seed;
  const below = (n: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % n;
  };
  const pick = <T>(...of: readonly T[]): T => of[below(of.length)] as T;
  const text = () => pick("", "a", "user_1", "\n", '"', "\\", "__proto__", "用户", "😀", "\u2028", "\u0000", "x".repeat(below(500)));
  return { below, pick, text };
}
type Random = ReturnType<typeof randomness>;

/** What version 1 has words for. `all`: with the members that it has none for, too. */
function randomEnvelope({ below, pick, text }: Random, all: boolean): Envelope {
  if (below(5) === 0) return below(2) === 0 ? kickEnvelope() : kickEnvelope(text());
  return messageEnvelope({
    msgId: `m${below(1_000_000)}`,
    ...(below(2) === 0 ? {} : { from: text() }),
    event: pick(0, 1, 2),
    sendAt: below(1_000_000_000),
    ...(all && below(2) === 0 ? { key: text() } : {}),
    ...(all && below(2) === 0 ? { exclude: text() } : {}),
    ...(all && below(2) === 0 ? { trace: text() } : {}),
    data: pick("{}", '{"a":1e400}', `{\n"x":${JSON.stringify(text())}}`),
  });
}

function randomPosition({ below, pick }: Random): EntryPosition | undefined {
  return below(3) === 0 ? undefined : { epoch: `e${below(9)}`, offset: pick(1, below(1_000) + 1, Number.MAX_SAFE_INTEGER), previous: pick("", `m${below(9)}`) };
}

/** An envelope as the release before knows it. */
function asPrevious(envelope: Envelope): PreviousEnvelope {
  if (envelope.kind === "membership" || envelope.kind === "load") throw new Error("it knows none");
  if (envelope.kind === "kick") return { v: 1, ...envelope };
  const { key: _, exclude: __, trace: ___, ...message } = envelope.message;
  return { v: 1, kind: "message", message };
}

function asPresent({ v: _, ...envelope }: PreviousEnvelope): Envelope {
  return envelope;
}

test("what this release writes in version 1 is read by the one before, whatever it holds", () => {
  const random = randomness(1);
  for (let n = 0; n < 5_000; n++) {
    const [envelope, position] = [randomEnvelope(random, true), randomPosition(random)];
    const [body, version] = [encodeBody(envelope), versionFor(1, "account", envelope.kind)];
    assert.deepEqual(previous.decodeOnChannel(encodeOnChannel(position, body, version)), { position, envelope: asPrevious(envelope) });
    const deliveries = Array.from({ length: random.below(3) + 1 }, () => ({
      target: accountTarget(random.text(), random.text()),
      position: randomPosition(random),
    }));
    const shared = previousShared.decodeShared(encodeShared(deliveries, body, version));
    assert.deepEqual(shared.deliveries, deliveries);
    assert.deepEqual(shared.envelope(), asPrevious(envelope));
  }
});

test("what the release before writes is read by this one, whatever it holds", () => {
  const random = randomness(2);
  for (let n = 0; n < 5_000; n++) {
    const [envelope, position] = [randomEnvelope(random, false), randomPosition(random)];
    const body = previous.encodeBody(asPrevious(envelope));
    assert.deepEqual(decodeOnChannel(previous.encodeOnChannel(position, body)), { position, envelope });
    const deliveries = [{ target: accountTarget(random.text(), random.text()), position: randomPosition(random) }];
    const shared = decodeShared(previousShared.encodeShared(deliveries as readonly { target: PreviousTarget; position: EntryPosition | undefined }[], body));
    assert.deepEqual([shared.deliveries, shared.envelope()], [deliveries, envelope]);
  }
});

for (const vector of envelopeVectors)
  test(`the release before ${vector.previous ? "reads" : "skips"}: ${vector.name}`, () => {
    const { on_channel: onChannel, shared, position, envelope, ignores = [] } = vector;
    if (!vector.previous) {
      assert.throws(() => previous.decodeOnChannel(onChannel), previous.PoisonError);
      return assert.throws(() => previousShared.decodeShared(shared), previous.PoisonError);
    }
    const read = asPrevious(envelope);
    assert.deepEqual(previous.decodeOnChannel(onChannel), { position, envelope: read });
    assert.deepEqual(previousShared.decodeShared(shared).envelope(), read);
    const members = envelope.kind === "message" ? Object.keys(envelope.message) : [];
    assert.deepEqual(
      members.filter((name) => ["key", "exclude", "trace"].includes(name)),
      ignores,
    );
  });

/** What a node of the release before has made of what came: what it read, and how much it skipped. */
interface Heard {
  readonly read: { target: PreviousTarget; position: EntryPosition | undefined; envelope: PreviousEnvelope }[];
  skipped: number;
}

function listen(heard: Heard, read: () => Heard["read"]): void {
  try {
    heard.read.push(...read());
  } catch (error) {
    assert.ok(error instanceof previous.PoisonError);
    heard.skipped++;
  }
}

test("on Redis", { timeout: 60_000 }, async (t) => {
  const redis = await startRedis(t);
  const links = createRedisLinks({ addresses: [redis.url], prefix: "p", log: silent });
  const inbox = collector();
  const exchange = createRedisExchange({ links, prefix: "p", nodeId: "present", log: silent, onPoison: (reason) => assert.fail(reason) });
  t.after(() => exchange.close());
  await exchange.open(inbox.deliver, inbox.resumed);
  const targets = ["user_1", "用户", "\n"].map((name) => ({ app: "app", kind: "account", name }) as const);
  const [subscriber, publisher] = [new Redis(redis.url), new Redis(redis.url)];
  t.after(() => [subscriber, publisher].map((client) => client.disconnect()));
  const heard: Heard = { read: [], skipped: 0 };
  const byChannel = new Map(targets.map((target) => [channelName("p", target), target]));
  subscriber.on("message", (channel, text) => listen(heard, () => [{ target: byChannel.get(channel) as PreviousTarget, ...previous.decodeOnChannel(text) }]));
  await subscriber.subscribe(...byChannel.keys());
  await Promise.all(targets.map((target) => exchange.hold(target)));

  const random = randomness(3);
  const sent: { target: Target; position: EntryPosition | undefined; envelope: Envelope }[] = [];
  for (let n = 0; n < COUNT; n++) {
    const delivery = { target: random.pick(...targets), position: randomPosition(random), envelope: randomEnvelope(random, true) };
    sent.push(delivery);
    await exchange.publish([delivery], delivery.envelope);
    if (n % 100 === 0) await exchange.publish(unplaced(targets[0] as Target), membershipEnvelope("news", true));
  }
  await until(() => heard.read.length === COUNT);
  assert.deepEqual(
    heard.read,
    sent.map(({ envelope, ...delivery }) => ({ ...delivery, envelope: asPrevious(envelope) })),
  );
  assert.equal(heard.skipped, COUNT / 100, "memberships are skipped, and nothing else is");
  await inbox.count(COUNT + COUNT / 100);

  inbox.received.length = 0;
  const written = sent.map((delivery) => ({ ...delivery, envelope: asPrevious(delivery.envelope) }));
  for (const { target, position, envelope } of written)
    await publisher.publish(channelName("p", target as PreviousTarget), previous.encodeOnChannel(position, previous.encodeBody(envelope)));
  await inbox.count(COUNT);
  assert.deepEqual(
    inbox.received,
    written.map(({ envelope, ...delivery }) => ({ ...delivery, envelope: asPresent(envelope) })),
  );
});

test("on Redis, where the store publishes as it appends", { timeout: 60_000 }, async (t) => {
  const redis = await startRedis(t);
  const history = { messages: 10, ms: 60_000 };
  const links = createRedisLinks({ addresses: [redis.url], prefix: "p", log: silent });
  const store = createRedisStore({ links, prefix: "p", publish: true, historyOf: () => history, log: silent, now: Date.now });
  t.after(() => store.close());
  await store.open();
  const [account, room] = [accountTarget("app", "user_1"), roomTarget("app", "news")];
  const subscriber = new Redis(redis.url);
  t.after(() => subscriber.disconnect());
  const heard: Heard = { read: [], skipped: 0 };
  const texts: string[] = [];
  subscriber.on("message", (_channel, text) => {
    texts.push(text);
    listen(heard, () => [{ target: account as PreviousTarget, ...previous.decodeOnChannel(text) }]);
  });
  await subscriber.subscribe(channelName("p", account as PreviousTarget), channelName("p", room as unknown as PreviousTarget));
  const message = { msgId: "m1", event: 0, sendAt: 1, key: "k", data: "{}" } as const;
  const { position } = await store.append(account, message, 0);
  await store.append(room, message, 0);
  await until(() => texts.length === 2);
  const envelope = { v: 1, kind: "message", message: { msgId: "m1", event: 0, sendAt: 1, data: "{}" } };
  assert.deepEqual(heard, { read: [{ target: account, position, envelope }], skipped: 1 });
  assert.deepEqual(decodeOnChannel(texts[1] ?? "").envelope, messageEnvelope(message));
});

test("on RabbitMQ, also where a message goes to accounts, rooms and the application at once", { timeout: 60_000 }, async (t) => {
  const broker = await startRabbitmq({ after });
  const inbox = collector();
  const options = { urls: parseRabbitmqUrl(broker.url).urls, exchangeName: "p", queueName: "p.queue", nodeId: "present", log: silent };
  const exchange = createRabbitmqExchange({ ...options, onPoison: (error) => assert.fail(error) });
  t.after(() => exchange.close());
  await exchange.open(inbox.deliver, inbox.resumed);
  const targets = ["user_1", "用户", "\n"].map((name) => ({ app: "app", kind: "account", name }) as const);
  const unknown = [roomTarget("app", "news"), appTarget("app")];
  await Promise.all([...targets, ...unknown].map((target) => exchange.hold(target)));

  const channel = await plainChannel(t, broker.url);
  await channel.assertExchange("p.direct", "direct", { durable: true });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  // Whatever shares their buckets reaches it, too.
  const keyOf = (target: Target) => bucketKey(bucketOf(target as PreviousTarget, DEFAULT_BUCKETS));
  for (const target of [...targets, ...unknown]) await channel.bindQueue(queue, "p.direct", keyOf(target));
  const heard: Heard = { read: [], skipped: 0 };
  const read = (text: string): Heard["read"] => {
    const { deliveries, envelope } = previousShared.decodeShared(text);
    return deliveries.map((delivery) => ({ ...delivery, envelope: envelope() }));
  };
  await channel.consume(queue, (message) => listen(heard, () => read(String(message?.content))), { noAck: true });

  const random = randomness(4);
  const sent: { target: Target; position: EntryPosition | undefined; envelope: Envelope }[] = [];
  for (let n = 0; n < COUNT; n++) {
    const envelope = randomEnvelope(random, true);
    const deliveries = targets.slice(random.below(targets.length)).map((target) => ({ target, position: randomPosition(random) }));
    sent.push(...deliveries.map((delivery) => ({ ...delivery, envelope })));
    await exchange.publish([...(n % 10 === 0 ? unplaced(...unknown) : []), ...deliveries], envelope);
  }
  const withUnknown = COUNT / 10;
  await until(() => heard.read.length === sent.length && heard.skipped === withUnknown);
  assert.deepEqual(
    heard.read,
    sent.map(({ envelope, ...delivery }) => ({ ...delivery, envelope: asPrevious(envelope) })),
  );
  await inbox.count(sent.length + unknown.length * withUnknown);
  assert.equal(inbox.received.length, sent.length + unknown.length * withUnknown);

  inbox.received.length = 0;
  for (const { target, position, envelope } of sent) {
    const delivery = { target: target as PreviousTarget, position };
    channel.publish("p.direct", keyOf(target), Buffer.from(previousShared.encodeShared([delivery], previous.encodeBody(asPrevious(envelope)))));
  }
  await inbox.count(sent.length);
  assert.deepEqual(
    inbox.received,
    sent.map(({ envelope, ...delivery }) => ({ ...delivery, envelope: asPresent(asPrevious(envelope)) })),
  );
});
