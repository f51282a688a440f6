// What a node on RabbitMQ receives for nothing: messages of accounts it does not hold, in a bucket that it does.
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { createRabbitmqExchange } from "../../../server/src/exchange/rabbitmq.ts";
import { createLog } from "../../../server/src/log.ts";
import { messageEnvelope } from "../../../server/src/protocol/envelope.ts";
import { Event, newMsgId } from "../../../server/src/protocol/message.ts";
import { accountTarget } from "../../../server/src/protocol/target.ts";
import { startRabbitmq } from "../../helpers/rabbitmq-server.ts";
import type { Scenario } from "../harness/scenario.ts";
import type { Stage } from "../harness/stage.ts";
import { PADDING } from "./drive.ts";

/** Of the server: how accounts are spread over bindings. */
const BUCKETS = 1_024;

type RabbitmqExchange = Awaited<ReturnType<typeof openNode>>;

const HELD = [0, 10, 100, 1_000];
const log = createLog({ level: "silent" });

/** A TCP proxy that counts the messages a broker delivers through it. */
async function countingProxy(stage: Stage, to: number): Promise<{ port: number; count: () => number }> {
  let count = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connectTcp({ host: "127.0.0.1", port: to, noDelay: true });
    let rest = Buffer.alloc(0);
    client.pipe(broker);
    broker.on("data", (bytes) => {
      client.write(bytes);
      rest = Buffer.concat([rest, bytes]);
      // Type, channel, size, payload, end; basic.deliver is method 60.60.
      while (rest.length >= 7 && rest.length >= 8 + rest.readUInt32BE(3)) {
        if (rest[0] === 1 && rest.readUInt32BE(7) === 0x003c003c) count++;
        rest = rest.subarray(8 + rest.readUInt32BE(3));
      }
    });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.on("error", () => {});
      socket.on("close", () => other.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stage.after(() => void server.close());
  return { port: (server.address() as { port: number }).port, count: () => count };
}

async function openNode(stage: Stage, nodeId: string, port: number, onDelivery: () => void) {
  const exchange = createRabbitmqExchange({
    urls: [`amqp://127.0.0.1:${port}`],
    exchangeName: "routing",
    queueName: "routing",
    nodeId,
    log,
    probeMs: 3_600_000,
    onPoison() {},
  });
  stage.after(() => exchange.close());
  await exchange.open(onDelivery, () => {});
  return exchange;
}

export const routing: Scenario = {
  name: "routing-rabbitmq",
  title: "What a node on RabbitMQ receives for nothing: messages of accounts that it does not hold, in one of 1,024 buckets that it does",
  fullOnly: true,
  async run(context) {
    const { stage, quick, progress } = context;
    const pushes = quick ? 2_000 : 10_000;
    const broker = await startRabbitmq(stage);
    const publisher = await openNode(stage, "publisher", broker.port, () => {});
    const useless: (readonly [held: number, share: number])[] = [];
    for (const held of HELD) {
      progress(`${held} accounts held`);
      useless.push([held, (100 * (await receivedForNothing(stage, publisher, broker.port, held, pushes))) / pushes]);
    }
    const expected = useless.map(([held]) => [held, 100 * (1 - (1 - 1 / BUCKETS) ** held)] as const);
    // Without an account a node has no bucket: what it receives then would be routed wrongly.
    if (useless.some(([held, share]) => held === 0 && share > 0)) throw new Error("a node without accounts has received messages");
    const [held, share] = useless.at(-1) as (typeof useless)[0];
    const [, even] = expected.at(-1) as (typeof expected)[0];
    return {
      ratios: [
        { name: `received for nothing with ${held} accounts / with accounts spread evenly`, values: [share / even], goal: { atMost: 1.1, broken: 1.5 } },
      ],
      curves: [
        {
          name: "routing-rabbitmq",
          title: "Messages of others that a node on RabbitMQ receives",
          x: "accounts held",
          y: "% of all messages",
          lines: [
            { name: "received", points: useless.filter(([held]) => held > 0) },
            { name: "expected", points: expected.filter(([held]) => held > 0) },
          ],
        },
      ],
    };
  },
};

async function receivedForNothing(stage: Stage, publisher: RabbitmqExchange, port: number, held: number, pushes: number): Promise<number> {
  const proxy = await countingProxy(stage, port);
  const last = Promise.withResolvers<void>();
  const node = await openNode(stage, `held-${held}`, proxy.port, () => last.resolve());
  for (let from = 0; from < held; from += 100)
    await Promise.all(Array.from({ length: Math.min(100, held - from) }, (_, n) => node.hold(accountTarget("app", `held_${from + n}`))));
  for (let from = 0; from < pushes; from += 200)
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => publisher.publish([{ target: accountTarget("app", `other_${from + n}`), position: undefined }], message())),
    );
  // Behind all others in the node's queue.
  const end = accountTarget("app", "end");
  await node.hold(end);
  await publisher.publish([{ target: end, position: undefined }], message());
  await last.promise;
  const count = proxy.count() - 1;
  await node.close();
  return count;
}

function message() {
  return messageEnvelope({ event: Event.SYSTEM, data: JSON.stringify({ text: PADDING }), msgId: newMsgId(), sendAt: Date.now() });
}
