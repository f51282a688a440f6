// Backends that push at a fixed rate, whatever the answers: an outage is not hidden by waiting for it.
import { Agent, request } from "node:http";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { apiToken } from "../../helpers/client.ts";

/** A message that the server has answered for. */
export interface Acknowledged {
  /** "" from the classic path, which does not tell. */
  readonly msgId: string;
  readonly account: string;
  readonly publisher: number;
  readonly seq: number;
  /** When it was pushed first, and when it was answered for, on the clock of `performance.now()`. */
  readonly sentMs: number;
  readonly atMs: number;
}

/** One answer, or none. */
export interface Answer {
  /** 0 when the connection failed, or nothing came within `GIVE_UP_MS`. */
  readonly status: number;
  readonly ms: number;
  readonly body: { readonly msg_id?: string; readonly duplicate?: boolean; readonly code?: number; readonly error?: number };
  readonly retryAfter: string | undefined;
}

export interface LoadOptions {
  /** Where to push now; a publisher that fails goes on to the next. */
  readonly urls: () => readonly string[];
  readonly accounts: readonly string[];
  /** Messages a second in all. Each account has one publisher, which pushes one message at a time and what is late as soon as it can. */
  readonly perSecond: number;
  /** Repeats a push with its key until it is acknowledged; otherwise a push that fails is given up. */
  readonly insist?: boolean;
  /** Characters added to each message. */
  readonly padding?: number;
  /** Pushes through the classic path without authentication, where no clock matters. */
  readonly classic?: boolean;
  /** `accounts` are names of rooms. */
  readonly rooms?: boolean;
}

export interface Load {
  readonly acknowledged: readonly Acknowledged[];
  /** Every answer so far, also of tries that failed. */
  readonly answers: readonly Answer[];
  /** Messages that should have been pushed by now. */
  readonly due: number;
  /** Ends the timer; resolves when every push has been answered (or, with `insist`, acknowledged). */
  stop(): Promise<void>;
  /** Ends at once; what is under way is forgotten. */
  abort(): void;
}

/** A push that is not answered by then counts as hanging. */
export const GIVE_UP_MS = 10_000;
const TICK_MS = 10;
const AGAIN_MS = 25;
const TOKEN_LIFE_MS = 30_000;

/** Starts at once. A publisher's `seq` begins at 1; `data` is `{publisher, seq}`. */
export function startLoad(
  t: Pick<TestContext, "after">,
  { urls, accounts, perSecond, insist = false, padding = 0, classic = false, rooms = false }: LoadOptions,
): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const pad = padding === 0 ? {} : { pad: "x".repeat(padding) };
  const acknowledged: Acknowledged[] = [];
  const answers: Answer[] = [];
  const run = crypto.randomUUID();
  const publishers = accounts.map((account, publisher) => ({ account, publisher, seq: 0, due: 0, working: Promise.resolve() as Promise<void>, busy: false }));
  type Publisher = (typeof publishers)[number];
  const startMs = performance.now();
  let due = 0;
  let stopped = false;
  let aborted = false;

  async function pushOne({ account, publisher }: Publisher, seq: number): Promise<void> {
    const data = { publisher, seq, ...pad };
    const key = `${run}:${publisher}:${seq}`;
    const body = JSON.stringify(classic ? classicBody(account, data, key) : { [rooms ? "rooms" : "accounts"]: [account], data, idempotency_key: key });
    const send = classic ? pushClassic : push;
    const sentMs = performance.now();
    for (let tries = 0; !aborted; tries++) {
      const all = urls();
      const url = all[(publisher + tries) % Math.max(1, all.length)];
      if (url !== undefined) {
        const answer = await send(agent, url, body);
        answers.push(answer);
        const { msg_id: msgId = "", error = 0 } = answer.body;
        if (answer.status === 200 && error === 0) return void acknowledged.push({ msgId, account, publisher, seq, sentMs, atMs: performance.now() });
      }
      if (!insist) return;
      await sleep(AGAIN_MS);
    }
  }
  async function work(publisher: Publisher): Promise<void> {
    publisher.busy = true;
    while (publisher.seq < publisher.due && !aborted) await pushOne(publisher, ++publisher.seq);
    publisher.busy = false;
  }
  function tick(): void {
    const wanted = Math.floor(((performance.now() - startMs) * perSecond) / 1_000);
    for (; due < wanted; due++) {
      const publisher = publishers[due % publishers.length] as Publisher;
      publisher.due++;
      if (!publisher.busy) publisher.working = work(publisher);
    }
  }
  const timer = setInterval(tick, TICK_MS);
  function abort(): void {
    aborted = true;
    clearInterval(timer);
    agent.destroy();
  }
  t.after(abort);
  return {
    acknowledged,
    answers,
    get due() {
      return due;
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      await Promise.all(publishers.map(({ working }) => working));
      agent.destroy();
    },
    abort,
  };
}

const MEASURE_MS = 1_500;
/** How much of what a machine can do a load may ask of it: faults cost work as well, and what is late must be caught up with. */
const SHARE = 0.5;

/** The rate that was wished for, or less where this machine cannot bear it now: measured with pushes to accounts that nobody holds. */
export async function bearableRate(t: Pick<TestContext, "after" | "diagnostic">, urls: () => readonly string[], wished: number): Promise<number> {
  const load = startLoad(t, { urls, accounts: Array.from({ length: 50 }, (_, i) => `nobody_${i}`), perSecond: wished / SHARE });
  await sleep(MEASURE_MS);
  const possible = (1_000 * load.acknowledged.length) / MEASURE_MS;
  load.abort();
  const rate = Math.max(20, Math.min(wished, Math.round(possible * SHARE)));
  t.diagnostic(`${rate} messages a second: ${wished} were wished for, and ${possible.toFixed(0)} of ${wished / SHARE} answered without any fault`);
  return rate;
}

let token = { text: "", untilMs: 0 };

/** `POST /api/v1/messages` with a body as text; never rejects. */
export function push(agent: Agent | undefined, url: string, body: string): Promise<Answer> {
  const nowMs = performance.now();
  if (token.untilMs < nowMs) token = { text: apiToken(), untilMs: nowMs + TOKEN_LIFE_MS };
  return post(agent, `${url}/api/v1/messages`, body, { authorization: `Bearer ${token.text}` });
}

/** `POST /api/v1/im/push` with a body as text; never rejects. */
export function pushClassic(agent: Agent | undefined, url: string, body: string): Promise<Answer> {
  return post(agent, `${url}/api/v1/im/push`, body, {});
}

export function classicBody(account: string, data: object, nonce: string): object {
  return { app_key: "test", send_to: account, message: JSON.stringify(data), nonce };
}

function post(agent: Agent | undefined, url: string, body: string, headers: Record<string, string>): Promise<Answer> {
  const startMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const end = (status: number, text = "{}", retryAfter?: string) =>
    resolve({ status, ms: performance.now() - startMs, body: JSON.parse(text) as Answer["body"], retryAfter });
  const ours = { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers };
  const outgoing = request(url, { method: "POST", headers: ours, ...(agent ? { agent } : {}), timeout: GIVE_UP_MS }, (response) => {
    const chunks: string[] = [];
    response
      .setEncoding("utf8")
      .on("data", (chunk: string) => chunks.push(chunk))
      .on("end", () => end(response.statusCode ?? 0, chunks.join(""), response.headers["retry-after"]))
      .on("error", () => end(0));
  });
  outgoing.on("timeout", () => outgoing.destroy());
  outgoing.on("error", () => end(0));
  outgoing.end(body);
  return promise;
}
