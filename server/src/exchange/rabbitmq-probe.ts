// The end-to-end probe: a message to ourselves shows that publishing, routing and consuming still work together.

/** A probe that other messages overtake for so many intervals is lost; fewer may be a long queue. */
const PATIENCE = 4;

export interface ProbeOptions {
  /** Time between probes, and how long one may take, milliseconds. */
  readonly intervalMs: number;
  /** Whether both ways are said to work and the broker takes messages; only then is a probe sent or missed. */
  ready(): boolean;
  /** Publishes a probe to our own queue; resolves on the broker's confirm. */
  send(id: string): Promise<void>;
  /** The broker does not confirm: the way out is broken. */
  unconfirmed(): void;
  /** Confirmed, and nothing arrives: the way in is broken. */
  missing(reason: string): void;
}

interface Sent {
  readonly id: string;
  confirmed: boolean;
  /** How many messages had arrived when it was sent, or last looked at. */
  arrivedBefore: number;
  intervals: number;
}

export class Probe {
  readonly #options: ProbeOptions;
  #timer: NodeJS.Timeout | undefined;
  #sent: Sent | undefined;
  #arrived = 0;
  #last = 0;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  start(): void {
    // After a stall of the event loop, what has arrived meanwhile is read first.
    this.#timer ??= setInterval(() => setImmediate(() => this.tick()), this.#options.intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sent = undefined;
  }

  /** A connection that a probe went over, or was to come back by, has ended: that it does not arrive says nothing about the next one. */
  forget(): void {
    this.#sent = undefined;
  }

  /** Any message has arrived. */
  arrived(): void {
    this.#arrived++;
  }

  /** A probe has arrived; an old one says nothing. */
  probed(id: string): void {
    if (this.#sent?.id === id) this.#sent = undefined;
  }

  /** The broker has sent a probe back because no queue is bound to its key. */
  returned(id: string): void {
    if (this.#sent?.id !== id) return;
    this.#sent = undefined;
    this.#options.missing("the queue is not bound any more");
  }

  /** What happens at every interval. */
  tick(): void {
    const { ready, unconfirmed, missing } = this.#options;
    if (!ready()) this.#sent = undefined;
    else if (!this.#sent) this.#send();
    else if (!this.#sent.confirmed) this.#giveUp(unconfirmed);
    else if (this.#arrived === this.#sent.arrivedBefore) this.#giveUp(() => missing("nothing arrives"));
    else if (++this.#sent.intervals >= PATIENCE) this.#giveUp(() => missing("the probe does not arrive"));
    else this.#sent.arrivedBefore = this.#arrived;
  }

  #send(): void {
    const sent: Sent = { id: `probe ${++this.#last}`, confirmed: false, arrivedBefore: this.#arrived, intervals: 0 };
    this.#sent = sent;
    this.#options.send(sent.id).then(
      () => {
        sent.confirmed = true;
      },
      () => {},
    );
  }

  #giveUp(tell: () => void): void {
    this.#sent = undefined;
    tell();
  }
}
