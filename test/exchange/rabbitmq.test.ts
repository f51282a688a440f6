// The exchange over RabbitMQ on a real broker: the contract of all exchanges, what it leaves there, and whom it refuses.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { parseRabbitmqUrl } from "../../server/src/config/broker-url.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { bucketKey, bucketOf } from "../../server/src/exchange/rabbitmq-buckets.ts";
import { MAX_UNCONFIRMED } from "../../server/src/exchange/rabbitmq-publisher.ts";
import type { WireVersion } from "../../server/src/protocol/envelope.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { freePort } from "../helpers/redis-server.ts";
import { exchangeContract, numbered, unplaced } from "./contract.ts";
import { createNode, holdAll, openNode, plainBindings, plainChannel, timed, until } from "./rabbitmq-node.ts";
import { createProxy } from "./rabbitmq-proxy.ts";

const broker = await startRabbitmq({ after });
const urls = parseRabbitmqUrl(broker.url).urls;
const create = (wireVersion: WireVersion) => createNode({ urls, exchangeName: "contract", wireVersion }).exchange;

exchangeContract("rabbitmq", () => create(1), { createPeer: () => create(1) });
exchangeContract("rabbitmq, where one node writes version 2", () => create(2), { createPeer: () => create(1) });

test("closing leaves no queue, no binding and no connection on the broker", async (t) => {
  const { exchange } = await openNode(t, { urls, exchangeName: "leaving" });
  for (let n = 0; n < 100; n++) await exchange.hold(accountTarget("app", `user_${n}`));
  await exchange.publish(unplaced(accountTarget("app", "user_1")), numbered(1));
  assert.match(await broker.ctl("list_queues", "name"), /leaving\.queue\.node-/);
  await exchange.close();
  assert.equal(await broker.ctl("list_queues", "name"), "");
  assert.equal(await broker.ctl("list_bindings"), "");
  assert.equal(await broker.ctl("list_connections", "name"), "");
});

test("a durable fanout exchange that has the installation's own name is left alone", async (t) => {
  const channel = await plainChannel(t, broker.url);
  await channel.assertExchange("shared", "fanout", { durable: true });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "shared", "");
  const { exchange, inbox } = await openNode(t, { urls, exchangeName: "shared", queueName: "shared.queue" });
  const target = accountTarget("app", "user_1");
  await exchange.hold(target);
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
  assert.equal((await channel.checkQueue(queue)).messageCount, 0);
  await channel.assertExchange("shared", "fanout", { durable: true });
  assert.match(await broker.ctl("list_exchanges", "name", "type", "durable"), /^shared\.direct\tdirect\ttrue$/m);
});

test("two installations on one broker do not meet", async (t) => {
  const [one, two] = [await openNode(t, { urls, exchangeName: "one" }), await openNode(t, { urls, exchangeName: "two" })];
  const target = accountTarget("app", "user_1");
  await Promise.all([one.exchange.hold(target), two.exchange.hold(target)]);
  await one.exchange.publish(unplaced(target), numbered(1));
  await two.exchange.publish(unplaced(target), numbered(2));
  await Promise.all([one.inbox.count(1), two.inbox.count(1)]);
  assert.deepEqual(
    [one, two].map(({ inbox }) => inbox.received.map(({ envelope }) => envelope)),
    [[numbered(1)], [numbered(2)]],
  );
});

test("a wrong password is an error at once, which does not hold it", async () => {
  const { exchange, inbox, lines } = createNode({ urls: [`amqp://guest:hunter2@127.0.0.1:${broker.port}/%2F`], exchangeName: "refused" });
  await assert.rejects(exchange.open(inbox.deliver, inbox.resumed), (error: Error) => {
    assert.match(error.message, new RegExp(`RabbitMQ refuses us at 127.0.0.1:${broker.port}: .*ACCESS.REFUSED`));
    assert.doesNotMatch(`${error.message}${error.stack}${lines.join()}${exchange.state().detail}`, /hunter2/);
    return true;
  });
  assert.equal(exchange.state().up, false);
  await exchange.close();
});

test("an exchange of another type under our name is an error at once", async (t) => {
  const channel = await plainChannel(t, broker.url);
  await channel.assertExchange("taken.direct", "topic", { durable: true });
  const { exchange, inbox } = createNode({ urls, exchangeName: "taken" });
  await assert.rejects(exchange.open(inbox.deliver, inbox.resumed), /RabbitMQ refuses us.*PRECONDITION_FAILED.*taken\.direct/);
  await exchange.close();
});

test("a node that counts other buckets than those that run does not start, and says both numbers; when they are gone it does", async (t) => {
  const { exchange } = await openNode(t, { urls, exchangeName: "counted" });
  const peer = await openNode(t, { urls, exchangeName: "counted", buckets: 1_024 });
  const refused = createNode({ urls, exchangeName: "counted", buckets: 512 });
  await assert.rejects(refused.exchange.open(refused.inbox.deliver, refused.inbox.resumed), (error: Error) => {
    assert.match(error.message, /^RabbitMQ refuses us at 127\.0\.0\.1:\d+: exchange\.buckets is 512 here and 1024 on the nodes that run: it must be the same/);
    return true;
  });
  await refused.exchange.close();
  await exchange.close();
  await peer.exchange.close();
  const { exchange: alone } = await openNode(t, { urls, exchangeName: "counted", buckets: 512 });
  assert.equal(alone.state().up, true);
  await alone.close();
  assert.doesNotMatch(await broker.ctl("list_exchanges", "name"), /counted\.buckets/);
});

test("a node that comes back to nodes with other buckets stays away, publishes nothing past them, and returns when they are gone", async (t) => {
  const proxy = createProxy(t, await freePort(), broker.port);
  await proxy.listen();
  const { exchange, inbox } = await openNode(t, { urls: [`amqp://127.0.0.1:${proxy.port}`], exchangeName: "recounted" });
  const target = accountTarget("app", "user_1");
  await exchange.hold(target);
  proxy.cut();
  await until(() => !exchange.state().up);
  const other = createNode({ urls, exchangeName: "recounted", buckets: 7 });
  t.after(() => other.exchange.close());
  await other.exchange.open(other.inbox.deliver, other.inbox.resumed);
  proxy.heal();
  await until(() => /consuming .*exchange\.buckets is 1024 here and 7 on the nodes that run/.test(exchange.state().detail));
  await assert.rejects(exchange.publish(unplaced(target), numbered(1)), { code: ErrorCode.EXCHANGE_UNAVAILABLE });
  await other.exchange.close();
  await inbox.resumedCount(1);
  await exchange.publish(unplaced(target), numbered(2));
  await inbox.count(1);
  assert.deepEqual(
    inbox.received.map(({ envelope }) => envelope),
    [numbered(2)],
  );
});

test("user names, passwords and virtual hosts of any script are understood", async (t) => {
  await broker.ctl("add_vhost", "vé/in");
  await broker.ctl("add_user", "us/er ü", "pä@ss:w%rd€");
  await broker.ctl("set_permissions", "-p", "vé/in", "us/er ü", ".*", ".*", ".*");
  const address = parseRabbitmqUrl(`amqp://us/er ü:pä@ss:w%rd€@127.0.0.1:${broker.port}/vé%2Fin`);
  const { exchange, inbox } = await openNode(t, { urls: address.urls, exchangeName: "scripts" });
  await exchange.hold(accountTarget("app", "user_1"));
  await exchange.publish(unplaced(accountTarget("app", "user_1")), numbered(1));
  await inbox.count(1);
});

test("hosts are tried in turn", async (t) => {
  const dead = `amqp://guest:guest@127.0.0.1:${await freePort()}/%2F`;
  const { exchange, lines } = await openNode(t, { urls: [dead, ...urls], exchangeName: "turn" });
  assert.equal(exchange.state().up, true);
  assert.match(lines.join(""), /ECONNREFUSED/);
  assert.doesNotMatch(lines.join(""), /guest/);
});

test("a broker that is not there yet is waited for; until then nothing is accepted", async (t) => {
  const proxy = createProxy(t, await freePort(), broker.port);
  const { exchange, inbox } = createNode({ urls: [`amqp://guest:guest@127.0.0.1:${proxy.port}/%2F`], exchangeName: "late" });
  t.after(() => exchange.close());
  const target = accountTarget("app", "user_1");
  const opened = exchange.open(inbox.deliver, inbox.resumed);
  const [hold, publish] = await Promise.all([timed(exchange.hold(target)), timed(exchange.publish(unplaced(target), numbered(1)))]);
  for (const { ms, error } of [hold, publish]) {
    assert.ok(error instanceof XlveinError && error.code === ErrorCode.EXCHANGE_UNAVAILABLE);
    assert.ok(ms < 1_500, `${ms} ms`);
  }
  assert.match(exchange.state().detail, /ECONNREFUSED/);
  await proxy.listen();
  await opened;
  assert.equal(exchange.state().up, true);
  await exchange.publish(unplaced(target), numbered(2));
  await exchange.hold(target);
  await exchange.publish(unplaced(target), numbered(3));
  await inbox.count(1);
  assert.deepEqual(
    inbox.received.map(({ envelope }) => envelope),
    [numbered(3)],
  );
  assert.deepEqual(inbox.resumptions, []);
});

test("closing while the broker is not there ends the waiting", async () => {
  const { exchange, inbox } = createNode({ urls: [`amqp://127.0.0.1:${await freePort()}/`], exchangeName: "never" });
  const opened = exchange.open(inbox.deliver, inbox.resumed);
  await exchange.close();
  await opened;
  assert.equal(exchange.state().up, false);
});

test("poison on the broker is skipped and counted, and the consumer lives", async (t) => {
  const { exchange, inbox, poison } = await openNode(t, { urls, exchangeName: "poison" });
  const channel = await plainChannel(t, broker.url);
  const target = accountTarget("app", "user_1");
  await exchange.hold(target);
  const key = bucketKey(bucketOf(target, 1_024));
  const garbage = ["", "\n", "1", "1 []\n{}", '3 [["app","account","user_1"]]\n{}', '1 [["app","account","user_1"]]\nnot json', "probe 1"].map((text) =>
    Buffer.from(text),
  );
  for (const content of [...garbage, Buffer.from([0xff, 0xfe, 0x0a]), Buffer.alloc(300_000, 0x7b)]) channel.publish("poison.direct", key, content);
  // Of a target that is not held here, a message is read no further than its first line.
  channel.publish("poison.direct", key, Buffer.from('1 [["app","account","user_2"]]\nnot json'));
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
  // Another connection's messages come in their own order.
  await until(() => poison.length >= garbage.length + 2);
  assert.deepEqual(
    inbox.received.map(({ envelope }) => envelope),
    [numbered(1)],
  );
  await exchange.publish(unplaced(target), numbered(2));
  await inbox.count(2);
  assert.equal(poison.length, garbage.length + 2);
  assert.equal(exchange.state().up, true);
});

test("a receiver that throws ends nothing", async (t) => {
  const { exchange, inbox, lines } = createNode({ urls, exchangeName: "throwing" });
  t.after(() => exchange.close());
  await exchange.open((delivery, envelope) => {
    inbox.deliver(delivery, envelope);
    if (inbox.received.length === 1) throw new Error("not today");
  }, inbox.resumed);
  const target = accountTarget("app", "user_1");
  await exchange.hold(target);
  await exchange.publish(unplaced(target), numbered(1));
  await exchange.publish(unplaced(target), numbered(2));
  await inbox.count(2);
  assert.match(lines.join(""), /not today/);
});

test("100,000 targets cost the broker 1,024 bindings", async (t) => {
  const { exchange, inbox } = await openNode(t, { urls, exchangeName: "many" });
  const targets = Array.from({ length: 100_000 }, (_, n) => accountTarget("app", `user_${n}`));
  const start = performance.now();
  await holdAll(exchange, targets);
  const ms = performance.now() - start;
  const plain = await plainBindings(t, broker.url);
  t.diagnostic(`100,000 holds: ${Math.round(ms)} ms; 1,024 bindings alone: ${Math.round(plain)} ms`);
  assert.ok(ms < Math.max(5_000, 8 * plain), `${ms} ms, the bindings alone ${plain} ms`);
  const bindings = (await broker.ctl("list_bindings", "source_name", "routing_key")).match(/^many\.direct\tb\d+$/gm) ?? [];
  assert.equal(bindings.length, 1_024);
  await exchange.publish(unplaced(...targets.filter((_, n) => n % 25 === 0)), numbered(1));
  await inbox.count(4_000);
  assert.equal(new Set(inbox.received.map(({ target }) => target.name)).size, 4_000);
});

test("more publishes than may wait for a confirmation are refused at once, and only those", async (t) => {
  const { exchange } = await openNode(t, { urls, exchangeName: "flood" });
  const target = accountTarget("app", "nobody");
  const outcomes = await Promise.allSettled(Array.from({ length: MAX_UNCONFIRMED + 50 }, (_, n) => exchange.publish(unplaced(target), numbered(n))));
  const refused = outcomes.flatMap((outcome, n) => (outcome.status === "rejected" && /too many messages wait/.test(String(outcome.reason)) ? [n] : []));
  assert.deepEqual(
    refused,
    Array.from({ length: 50 }, (_, n) => MAX_UNCONFIRMED + n),
  );
  await exchange.publish(unplaced(target), numbered(0));
});

test("targets that come and go at random are received exactly while they are held", { timeout: 60_000 }, async (t) => {
  // Few buckets and no delay: every other call binds or unbinds.
  const options = { urls, exchangeName: "churn", buckets: 4, unbindDelayMs: 1 };
  const [node, peer] = [await openNode(t, options), await openNode(t, options)];
  const targets = Array.from({ length: 6 }, (_, n) => accountTarget("app", `user_${n}`));
  const last = accountTarget("app", "always");
  await node.exchange.hold(last);
  const expected: string[] = [];
  for (let n = 0; n < 400; n++) {
    const target = targets[(n * 7919) % 6] ?? last;
    if (n % 3 === 0) node.exchange.release(target);
    else {
      await node.exchange.hold(target);
      await peer.exchange.publish(unplaced(target), numbered(n));
      expected.push(`m${n}`);
    }
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await peer.exchange.publish(unplaced(last), numbered(400));
  await node.inbox.count(expected.length + 1);
  const received = node.inbox.received.map(({ envelope }) => envelope.kind === "message" && envelope.message.msgId);
  assert.deepEqual(received, [...expected, "m400"]);
});

test("names that AMQP cannot carry are refused with the setting's name", () => {
  const long = "x".repeat(250);
  assert.throws(() => createNode({ urls, exchangeName: "x".repeat(245) }), /exchange_name is too long for RabbitMQ: 258 bytes/);
  assert.throws(() => createNode({ urls, exchangeName: long }), /exchange_name is too long for RabbitMQ: 257 bytes, at most 255/);
  assert.throws(() => createNode({ urls, exchangeName: "a", queueName: long }), /queue_name/);
  assert.throws(() => createNode({ urls, exchangeName: "a", nodeId: "é".repeat(120) }), /queue_name/);
});
