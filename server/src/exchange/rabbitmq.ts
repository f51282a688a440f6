// The exchange over RabbitMQ: a direct exchange, a queue per node, and a bounded set of routing keys for all targets.
import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { ChannelModel } from "amqplib";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Log } from "../log.ts";
import { encodeBody, PoisonError } from "../protocol/codec.ts";
import { decodeShared, encodeShared } from "../protocol/codec-shared.ts";
import { type Envelope, versionFor, type WireVersion } from "../protocol/envelope.ts";
import type { Deliver, Delivery, Exchange, ExchangeState, Resumed } from "./exchange.ts";
import { UNBIND_DELAY_MS } from "./rabbitmq-bindings.ts";
import { bucketKey, bucketOf, DEFAULT_BUCKETS } from "./rabbitmq-buckets.ts";
import type { ConnectOptions } from "./rabbitmq-connect.ts";
import { startConsumer } from "./rabbitmq-consumer.ts";
import { Holdings } from "./rabbitmq-holdings.ts";
import { Link, type Lost } from "./rabbitmq-link.ts";
import { Probe } from "./rabbitmq-probe.ts";
import { Publisher } from "./rabbitmq-publisher.ts";

/** Deliveries in one message; a publish to more targets is several messages. Every node that holds one of them reads them all. */
const MAX_DELIVERIES = 1_000;

/** The longest name that AMQP carries, bytes. */
const MAX_NAME_BYTES = 255;

export interface RabbitmqExchangeOptions {
  /** `amqp://` or `amqps://` URLs of the cluster's hosts, percent-encoded, with credentials; tried in turn. */
  readonly urls: readonly string[];
  /** Separates installations on one broker. The exchange is `<exchangeName>.direct`; one that is called just `exchangeName` is left alone. */
  readonly exchangeName: string;
  /** The queue is `<queueName>.<nodeId>.<random>`. */
  readonly queueName: string;
  readonly nodeId: string;
  /** Routing keys; the same on every node. 1,024 by default. */
  readonly buckets?: number;
  /** The version of envelopes that is written; 1 by default. Both are read. */
  readonly wireVersion?: WireVersion;
  readonly log: Log;
  /** Called for every message that is none of ours; it is skipped. */
  onPoison(error: PoisonError): void;
  /** Time between end-to-end probes, milliseconds; 5,000 by default. A subscription that has fallen silent is made anew within twice that. */
  readonly probeMs?: number;
  /** Twice this long without a sign of life ends a connection, seconds; 2 by default. */
  readonly heartbeatSeconds?: number;
  /** For `amqps://` URLs; the system's authorities without. */
  readonly tls?: ConnectOptions["tls"];
  /** How long a bucket without targets stays bound, at least, milliseconds; 2,000 by default. */
  readonly unbindDelayMs?: number;
}

/** At most once, in order per publisher and target. Throws when a name is too long for AMQP. */
export function createRabbitmqExchange(options: RabbitmqExchangeOptions): Exchange {
  return new RabbitmqExchange(options);
}

class RabbitmqExchange implements Exchange {
  readonly type = "rabbitmq";
  readonly #options: RabbitmqExchangeOptions;
  readonly #buckets: number;
  readonly #exchange: string;
  readonly #mark: string;
  readonly #holdings: Holdings;
  readonly #publisher: Publisher;
  readonly #probe: Probe;
  /** Two connections: the broker stops reading one that publishes when memory runs low, and messages must go on arriving. */
  readonly #out: Link;
  readonly #in: Link;
  #ownKey = "";
  #deliver: Deliver = () => {};
  #resumed: Resumed = () => {};
  /** The consumer has been up before: what was sent since may be lost. */
  #resuming = false;

  constructor(options: RabbitmqExchangeOptions) {
    const { probeMs = 5_000, heartbeatSeconds = 2, buckets = DEFAULT_BUCKETS, unbindDelayMs = UNBIND_DELAY_MS } = options;
    this.#options = options;
    this.#buckets = buckets;
    this.#exchange = checkName("exchange_name", `${options.exchangeName}.direct`);
    this.#mark = `${options.exchangeName}.buckets`;
    checkName("exchange_name", `${this.#mark}.${buckets}`);
    checkName("queue_name with the node's name", this.#queueName("0123456789abcdef"));
    this.#holdings = new Holdings({ buckets, unbindDelayMs });
    this.#publisher = new Publisher({
      exchange: this.#exchange,
      returned: (content) => this.#probe.returned(content),
      missing: () => this.#in.restart("the exchange was deleted"),
    });
    this.#probe = new Probe({
      intervalMs: probeMs,
      ready: () => this.state().up,
      send: (id) => this.#publisher.publish([this.#ownKey], id, { mandatory: true }),
      unconfirmed: () => this.#out.restart("the probe was not confirmed"),
      missing: (reason) => this.#in.restart(reason),
    });
    const connection = { urls: options.urls, heartbeatSeconds, tls: options.tls, log: options.log };
    this.#out = new Link({
      ...connection,
      name: "publish",
      setup: (model, lost) => this.#publisher.attach(model, lost),
      up: () => {},
      down: () => {
        this.#publisher.detach();
        this.#probe.forget();
      },
    });
    this.#in = new Link({
      ...connection,
      name: "consume",
      setup: (model, lost) => this.#consume(model, lost),
      up: () => this.#resume(),
      down: () => {
        this.#holdings.detach();
        this.#probe.forget();
      },
    });
  }

  async open(deliver: Deliver, resumed: Resumed): Promise<void> {
    this.#deliver = deliver;
    this.#resumed = resumed;
    this.#probe.start();
    try {
      await Promise.all([this.#in.open(), this.#out.open()]);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  hold(target: Delivery["target"]): Promise<void> {
    return this.#holdings.hold(target);
  }

  release(target: Delivery["target"]): void {
    this.#holdings.release(target);
  }

  async publish(deliveries: readonly Delivery[], envelope: Envelope): Promise<void> {
    // A node that counts other buckets would publish past those that hold the targets.
    if (this.#in.refused) throw unavailable(`RabbitMQ refuses us: ${this.#in.detail}`);
    const { wireVersion = 1 } = this.#options;
    const body = encodeBody(envelope);
    // A node that does not read a version skips the whole message: what it can read travels apart.
    const byVersion = Map.groupBy(deliveries, ({ target }) => versionFor(wireVersion, target.kind, envelope.kind));
    const messages = [...byVersion].flatMap(([version, group]) => parts(group).map((part) => this.#publish(part, body, version)));
    await Promise.all(messages);
  }

  state(): ExchangeState {
    const blocked = this.#publisher.blocked;
    if (this.#out.up && this.#in.up && blocked === undefined)
      return { up: true, detail: `rabbitmq: connected, ${this.#holdings.boundBuckets} of ${this.#buckets} keys bound` };
    const publishing = blocked === undefined ? this.#out.detail : `blocked by the broker, ${blocked}`;
    return { up: false, detail: `rabbitmq: publishing ${publishing}; consuming ${this.#in.detail}` };
  }

  async close(): Promise<void> {
    this.#probe.stop();
    this.#holdings.close();
    await this.#publisher.settled();
    await Promise.all([this.#out.close(), this.#in.close()]);
  }

  async #publish(deliveries: readonly Delivery[], body: string, version: WireVersion): Promise<void> {
    const buckets = new Set(deliveries.map(({ target }) => bucketOf(target, this.#buckets)));
    await this.#publisher.publish([...buckets].map(bucketKey), encodeShared(deliveries, body, version));
  }

  async #consume(connection: ChannelModel, lost: Lost): Promise<void> {
    const random = randomBytes(8).toString("hex");
    const ownKey = `node.${random}`;
    const received = (content: Buffer, key: string) => this.#receive(content, key === ownKey);
    const names = { exchange: this.#exchange, mark: this.#mark, queue: this.#queueName(random), ownKey };
    const binder = await startConsumer(connection, { ...names, buckets: this.#buckets, received }, lost);
    this.#ownKey = ownKey;
    await this.#holdings.attach(binder);
  }

  #resume(): void {
    if (this.#resuming) this.#guarded("resumed", () => this.#resumed(this.#holdings.confirmed()));
    this.#resuming = true;
  }

  #receive(content: Buffer, own: boolean): void {
    this.#probe.arrived();
    if (own) this.#probe.probed(String(content));
    else this.#guarded("deliver", () => this.#distribute(content));
  }

  #distribute(content: Buffer): void {
    if (!isUtf8(content)) throw new PoisonError("a message that is not UTF-8");
    const shared = decodeShared(content.toString());
    const ours = shared.deliveries.filter(({ target }) => this.#holdings.has(target));
    if (ours.length === 0) return;
    const envelope = shared.envelope();
    for (const delivery of ours) this.#deliver(delivery, envelope);
  }

  /** Nothing that a message does may end the consumer. */
  #guarded(step: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (error instanceof PoisonError) this.#options.onPoison(error);
      else this.#options.log.error({ err: error, step }, "a message from RabbitMQ could not be handled");
    }
  }

  #queueName(random: string): string {
    return `${this.#options.queueName}.${this.#options.nodeId}.${random}`;
  }
}

/** At most MAX_DELIVERIES each. */
function parts(deliveries: readonly Delivery[]): (readonly Delivery[])[] {
  if (deliveries.length <= MAX_DELIVERIES) return [deliveries];
  const count = Math.ceil(deliveries.length / MAX_DELIVERIES);
  return Array.from({ length: count }, (_, n) => deliveries.slice(n * MAX_DELIVERIES, (n + 1) * MAX_DELIVERIES));
}

function unavailable(message: string): XlveinError {
  return new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, message);
}

function checkName(what: string, name: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES) throw new Error(`${what} is too long for RabbitMQ: ${bytes} bytes, at most ${MAX_NAME_BYTES}`);
  return name;
}
