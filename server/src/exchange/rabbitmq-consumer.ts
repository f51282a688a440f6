// The way in from RabbitMQ: a queue of this connection, its bindings and its consumer.
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import type { Binder } from "./rabbitmq-bindings.ts";
import { bucketKey } from "./rabbitmq-buckets.ts";
import type { Lost } from "./rabbitmq-link.ts";
import { leaveMark } from "./rabbitmq-mark.ts";

/** What may wait in the broker for this node, bytes. The oldest is dropped then; its reader sees the hole in the offsets. */
const QUEUE_MAX_BYTES = 134_217_728;

export interface ConsumerOptions {
  /** The exchange's name on the broker. */
  readonly exchange: string;
  /** The queue's name: another for each connection, since that of a half-open one is locked until the broker notices. */
  readonly queue: string;
  /** A routing key that only this queue is bound to. */
  readonly ownKey: string;
  /** The name of the mark that says `buckets`. */
  readonly mark: string;
  readonly buckets: number;
  received(content: Buffer, key: string): void;
}

/** Declares, agrees on the buckets, binds the own key and consumes without acknowledgements; the binder binds the rest on the same channel, in order. */
export async function startConsumer(connection: ChannelModel, options: ConsumerOptions, lost: Lost): Promise<Binder> {
  const { exchange, queue, ownKey, mark, buckets } = options;
  const channel = await connection.createChannel();
  channel.on("error", lost);
  channel.on("close", () => lost(new Error("channel closed")));
  await channel.assertExchange(exchange, "direct", { durable: true });
  await channel.assertQueue(queue, { exclusive: true, autoDelete: true, durable: false, arguments: { "x-max-length-bytes": QUEUE_MAX_BYTES } });
  await leaveMark(channel, mark, queue, buckets);
  await channel.bindQueue(queue, exchange, ownKey);
  await consume(channel, options, lost);
  return {
    bind: (bucket) => channel.bindQueue(queue, exchange, bucketKey(bucket)),
    unbind: (bucket) => channel.unbindQueue(queue, exchange, bucketKey(bucket)),
  };
}

async function consume(channel: Channel, { queue, received }: ConsumerOptions, lost: Lost): Promise<void> {
  const onMessage = (message: ConsumeMessage | null) => {
    if (message) received(message.content, message.fields.routingKey);
    else lost(new Error("the broker has cancelled the consumer"));
  };
  await channel.consume(queue, onMessage, { noAck: true, exclusive: true });
}
