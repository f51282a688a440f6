// Nodes on a real broker, and a plain connection beside them to look and to interfere.
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, connect } from "amqplib";
import type { Exchange } from "../../server/src/exchange/exchange.ts";
import { createRabbitmqExchange, type RabbitmqExchangeOptions } from "../../server/src/exchange/rabbitmq.ts";
import { createLog } from "../../server/src/log.ts";
import type { Target } from "../../server/src/protocol/target.ts";
import { collector } from "./contract.ts";

let nodes = 0;

/** A node of the installation `exchangeName`, not open yet, with its log lines and the poison it has met. */
export function createNode(options: Pick<RabbitmqExchangeOptions, "urls" | "exchangeName"> & Partial<RabbitmqExchangeOptions>) {
  const lines: string[] = [];
  const poison: string[] = [];
  const exchange = createRabbitmqExchange({
    queueName: `${options.exchangeName}.queue`,
    nodeId: `node-${++nodes}`,
    log: createLog({ level: "info", destination: { write: (line: string) => lines.push(line) } }),
    onPoison: (error) => poison.push(error.message),
    ...options,
  });
  return { exchange, lines, poison, inbox: collector() };
}

/** The same, open; closed after the test. */
export async function openNode(t: Pick<TestContext, "after">, options: Parameters<typeof createNode>[0]): Promise<ReturnType<typeof createNode>> {
  const node = createNode(options);
  t.after(() => node.exchange.close());
  await node.exchange.open(node.inbox.deliver, node.inbox.resumed);
  return node;
}

/** A channel of a connection of its own. */
export async function plainChannel(t: Pick<TestContext, "after">, url: string): Promise<Channel> {
  const connection = await connect(url);
  connection.on("error", () => {});
  t.after(() => connection.close().catch(() => {}));
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  return channel;
}

/** Looks again and again until `done`; fails after `ms`. */
export async function until(done: () => boolean, ms = 30_000): Promise<void> {
  for (const end = performance.now() + ms; !done(); await sleep(5)) if (performance.now() > end) throw new Error(`not in ${ms} ms: ${done}`);
}

/** Resolves when the exchange's state is `up` or not. */
export function stateBecomes(exchange: Exchange, up: boolean): Promise<void> {
  return until(() => exchange.state().up === up);
}

/** Resolves when the message that says `n` has arrived. */
export function arrives({ received }: ReturnType<typeof collector>, n: number): Promise<void> {
  return until(() => received.some(({ envelope }) => envelope.kind === "message" && envelope.message.sendAt === n));
}

/** Milliseconds until `promise` settles, and with which error it did. */
export async function timed(promise: Promise<unknown> | undefined): Promise<{ ms: number; error: unknown }> {
  const start = performance.now();
  const error = await Promise.resolve(promise).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return { ms: performance.now() - start, error };
}

/** Holds them all, 200 at a time; again where a busy broker has not confirmed in time, as a client would try again. */
export async function holdAll(exchange: Exchange, targets: readonly Target[]): Promise<void> {
  for (let from = 0; from < targets.length; from += 200) {
    const batch = targets.slice(from, from + 200);
    const hold = () => Promise.all(batch.map((target) => exchange.hold(target)));
    await hold().catch(hold).catch(hold);
  }
}

/** What the machine takes at present for 1,024 bindings on a plain connection, milliseconds. */
export async function plainBindings(t: Pick<TestContext, "after">, url: string): Promise<number> {
  const channel = await plainChannel(t, url);
  await channel.assertExchange("plain", "direct", { durable: false });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  return (await timed(Promise.all(Array.from({ length: 1_024 }, (_, n) => channel.bindQueue(queue, "plain", `b${n}`))))).ms;
}
