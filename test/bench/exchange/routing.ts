// What a node on RabbitMQ receives for nothing: messages of accounts it does not hold, in a bucket that it does.
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { createRabbitmqExchange } from "../../../server/src/exchange/rabbitmq.ts";
import { createLog } from "../../../server/src/log.ts";
import { messageEnvelope } from "../../../server/src/protocol/envelope.ts";
import { Event, newMsgId } from "../../../server/src/protocol/message.ts";
import { accountTarget } from "../../../server/src/protocol/target.ts";
import { startRabbitmq } from "../../helpers/rabbitmq-server.ts";
import { PADDING } from "./drive.ts";
import type { Row, Scale } from "./report.ts";
import { createStage, round, type Stage } from "./stage.ts";

const HELD = [0, 10, 100, 1_000, 10_000];
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

export async function routing({ pushes }: Scale): Promise<Row[]> {
  const stage = createStage();
  try {
    const broker = await startRabbitmq(stage);
    const publisher = await openNode(stage, "publisher", broker.port, () => {});
    const rows: Row[] = [];
    for (const held of HELD) {
      const proxy = await countingProxy(stage, broker.port);
      const last = Promise.withResolvers<void>();
      const node = await openNode(stage, `held-${held}`, proxy.port, () => last.resolve());
      for (let from = 0; from < held; from += 100)
        await Promise.all(Array.from({ length: Math.min(100, held - from) }, (_, n) => node.hold(accountTarget("app", `held_${from + n}`))));
      const cpu = process.cpuUsage();
      for (let from = 0; from < pushes; from += 200)
        await Promise.all(
          Array.from({ length: 200 }, (_, n) => publisher.publish([{ target: accountTarget("app", `other_${from + n}`), position: undefined }], message())),
        );
      const used = process.cpuUsage(cpu);
      // Behind all others in the node's queue.
      const end = accountTarget("app", "end");
      await node.hold(end);
      await publisher.publish([{ target: end, position: undefined }], message());
      await last.promise;
      const useless = proxy.count() - 1;
      const expected = 1 - (1 - 1 / 1_024) ** held;
      rows.push({
        name: `${held} accounts held: messages of others received`,
        value: `${round((100 * useless) / pushes)} % of ${pushes}`,
        goal: `expected ${round(100 * expected)} %; ${round((used.user + used.system) / pushes)} µs CPU of publisher and node`,
      });
      await node.close();
    }
    return rows;
  } finally {
    await stage.close();
  }
}

function message() {
  return messageEnvelope({ event: Event.SYSTEM, data: JSON.stringify({ text: PADDING }), msgId: newMsgId(), sendAt: Date.now() });
}
