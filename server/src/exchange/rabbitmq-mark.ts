// The mark of an installation on its broker: it says over how many buckets targets are spread, and is there while a node is.
import type { Channel } from "amqplib";

/**
 * Leaves the mark, or finds that the same is there. Otherwise the broker closes the channel (406); `disagreement` reads what it says.
 * The mark is an exchange that is deleted with its last binding, and so with the connection of the last node. RabbitMQ compares the names of
 * alternate exchanges, and no argument that we could invent; neither exists, and nobody can publish to the mark.
 */
export async function leaveMark(channel: Channel, mark: string, queue: string, buckets: number): Promise<void> {
  await channel.assertExchange(mark, "fanout", { durable: false, autoDelete: true, internal: true, alternateExchange: `${mark}.${buckets}` });
  await channel.bindQueue(queue, mark, "");
}

/** A sentence, where an error of RabbitMQ means that another number of buckets is in use. */
export function disagreement(message: string): string | undefined {
  const [, ours, theirs] = /'alternate-exchange'.*\.buckets\.(\d+)'.*\.buckets\.(\d+)'/.exec(message) ?? [];
  if (ours === undefined) return undefined;
  return `exchange.buckets is ${ours} here and ${theirs} on the nodes that run: it must be the same on all; to change it stop every node first`;
}
