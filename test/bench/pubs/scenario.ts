// Clients that write to one another: messages for a second of the server's CPU.
import { stayAwake } from "../harness/awake.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Scenario } from "../harness/scenario.ts";
import { bareWs, ours, type Peer, socketIo, type Talker } from "./peers.ts";

const CLIENTS = 64;
const ARRIVE_MS = 30_000;

const pubs: Scenario = {
  name: "pubs",
  title: "Messages from client to client, one in flight for each of 64 clients, per second of server CPU",
  async run(context) {
    const { stage, quick } = context;
    stage.after(stayAwake());
    const [[v2, classic], [acked, plain], relay] = await Promise.all([ours(context), socketIo(stage), bareWs(stage)]);
    const messages = quick ? 1_500 : 5_000;
    const [ourV2, ourClassic, theirAcked, theirPlain, bare] = [
      await talking(v2, messages),
      await talking(classic, messages),
      await talking(acked, messages),
      await talking(plain, messages),
      await talking(relay, messages),
    ];
    const subjects = [ourV2, ourClassic, theirAcked, theirPlain, bare];
    for (let n = 0; n < 4; n++) await Promise.all(subjects.map((subject) => subject.measure()));
    const measured = await interleave(context, subjects, { repetitions: quick ? 5 : 21, warmUp: false });
    return {
      ratios: [
        measured.ratio("v2 pub with its acknowledgement / socket.io with one", ourV2, theirAcked, { atLeast: 0.8, reach: 1, broken: 0.35 }, "inverse"),
        measured.ratio("classic message / socket.io without acknowledgement", ourClassic, theirPlain, { atLeast: 0.8, reach: 1, broken: 0.35 }, "inverse"),
        measured.ratio("classic message / bare ws relay", ourClassic, bare, undefined, "inverse"),
      ],
      figures: measured.figures,
    };
  },
};

export const scenarios: readonly Scenario[] = [pubs];

/** Answers µs of the server's CPU for each message. */
async function talking({ name, pid, acks, connect }: Peer, messages: number): Promise<Subject> {
  const accounts = Array.from({ length: CLIENTS }, (_, n) => `${acks ? "a" : "p"}${n}`);
  /** What is awaited of each message, and whom to tell. */
  const open = new Map<number, { arrivals: number; acks: number; done: () => void }>();
  const heard = (what: "arrivals" | "acks") => (n: number) => {
    const message = open.get(n);
    if (!message || --message[what] < 0) throw new Error(`${name}: message ${n} came twice`);
    if (message.arrivals > 0 || message.acks > 0) return;
    message.done();
  };
  const talkers: Talker[] = await Promise.all(accounts.map((account) => connect(account, { arrived: heard("arrivals"), acked: heard("acks") })));
  let next = 1;
  return { name, pids: [pid], measure };

  async function measure(): Promise<number> {
    const end = next + messages;
    open.clear();
    const lane = async ({ send }: Talker, nth: number) => {
      while (next < end) {
        const n = next++;
        const { promise, resolve } = Promise.withResolvers<void>();
        open.set(n, { arrivals: 1, acks: acks ? 1 : 0, done: resolve });
        send(accounts[(nth + 1) % CLIENTS] as string, n);
        await promise;
      }
    };
    const lost = Promise.withResolvers<never>();
    const timer = setTimeout(() => lost.reject(new Error(`${name}: a message has not arrived within ${ARRIVE_MS} ms`)), ARRIVE_MS);
    try {
      return (await cpuUsOf([pid], () => Promise.race([Promise.all(talkers.map(lane)), lost.promise]))) / messages;
    } finally {
      clearTimeout(timer);
    }
  }
}
