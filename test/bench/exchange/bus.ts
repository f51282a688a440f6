// Exchange, store and the order between them as a node has them, without sockets: 100,000 accounts fit beside a broker on a small machine.
import type { Exchange, Resumed } from "../../../server/src/exchange/exchange.ts";
import { createRabbitmqExchange } from "../../../server/src/exchange/rabbitmq.ts";
import { createRedisExchange } from "../../../server/src/exchange/redis.ts";
import { createLog } from "../../../server/src/log.ts";
import { createMetrics } from "../../../server/src/metrics/metrics.ts";
import type { Envelope } from "../../../server/src/protocol/envelope.ts";
import type { Target } from "../../../server/src/protocol/target.ts";
import { createOrder, type Order } from "../../../server/src/recover/order.ts";
import { createRepair } from "../../../server/src/recover/repair.ts";
import { createRedisLinks } from "../../../server/src/redis/connect.ts";
import { DEFAULT_HISTORY } from "../../../server/src/store/history.ts";
import { createRedisStore } from "../../../server/src/store/redis.ts";
import type { Store } from "../../../server/src/store/store.ts";

export interface BusOptions {
  readonly nodeId: string;
  readonly redis: string;
  /** Makes RabbitMQ the exchange. */
  readonly rabbitmq?: string;
}

export interface Bus {
  readonly exchange: Exchange;
  readonly store: Store;
  readonly order: Order;
  open(resumed: Resumed): Promise<void>;
  close(): Promise<void>;
}

export function createBus({ nodeId, redis, rabbitmq }: BusOptions, deliver: (target: Target, envelope: Envelope) => void): Bus {
  const log = createLog({ level: "silent" });
  const prefix = "resubscribe";
  const links = createRedisLinks({ addresses: [redis], prefix, log });
  const exchange =
    rabbitmq === undefined
      ? createRedisExchange({ links, prefix, nodeId, log, onPoison() {} })
      : createRabbitmqExchange({ urls: [rabbitmq], exchangeName: prefix, queueName: prefix, nodeId, log, onPoison() {} });
  const store = createRedisStore({ links, prefix, publish: rabbitmq === undefined, historyOf: () => DEFAULT_HISTORY, log, now: Date.now });
  const repair = createRepair({ store, deliver, gap() {}, metrics: createMetrics("0.0.0-bench"), log });
  const order = createOrder({ store, remember: 100, repair, deliver });
  return {
    exchange,
    store,
    order,
    async open(resumed) {
      await Promise.all([store.open(), exchange.open(order.receive, resumed)]);
    },
    async close() {
      order.close();
      await exchange.close();
      await store.close();
    },
  };
}
