// Servers through which clients write to one another, and how a client of each does it.
import { connectUrl, tokenFor } from "../../helpers/client.ts";
import { oursInMemory } from "../exchange/nodes.ts";
import { startScript } from "../harness/processes.ts";
import { connectReceiver, type Receiver } from "../harness/receiver.ts";
import type { Context } from "../harness/scenario.ts";
import type { Stage } from "../harness/stage.ts";

/** What a client is told: a message has come; the server has acknowledged one. */
export interface Ear {
  arrived(n: number): void;
  acked(n: number): void;
}

export interface Talker {
  send(to: string, n: number): void;
}

export interface Peer {
  readonly name: string;
  readonly pid: number;
  /** Whether it acknowledges each message. */
  readonly acks: boolean;
  connect(account: string, ear: Ear): Promise<Talker>;
}

const PADDING = "x".repeat(100);
const numberIn = (text: string): number => Number(/"n":(\d+)/.exec(text)?.[1]);

/** One server of ours, spoken to in v2 with acknowledgements and in classic frames. */
export async function ours(context: Pick<Context, "stage" | "runStage">): Promise<readonly [v2: Peer, classic: Peer]> {
  const { stage } = context;
  const { pid, url } = await oursInMemory(context);
  const v2: Peer = {
    name: "v2, acknowledged",
    pid,
    acks: true,
    async connect(account, { arrived, acked }) {
      const hello = Promise.withResolvers<void>();
      const address = connectUrl(url, { token: "" }).replace("&token=", "");
      const onText = (text: string) => {
        if (text.startsWith('{"op":"reply"')) acked(Number(/"id":(\d+)/.exec(text)?.[1]));
        else if (text.startsWith('{"op":"hello"')) hello.resolve();
        else if (text.startsWith('{"op":"')) throw new Error(`a client was told: ${text}`);
        else arrived(numberIn(text));
      };
      const { send } = await connectReceiver(stage, address, onText, { offers: ["xlvein.v2.json", `xlvein.token.${tokenFor(account)}`] });
      await hello.promise;
      return { send: (to, n) => send(`{"op":"pub","id":${n},"to":"${to}","data":{"n":${n},"text":"${PADDING}"}}`) };
    },
  };
  const classic: Peer = {
    name: "classic",
    pid,
    acks: false,
    async connect(account, { arrived }) {
      const { send } = await connectReceiver(stage, connectUrl(url, { account }), (text) => arrived(numberIn(text)));
      return { send: (to, n) => send(`{"to":"${to}","data":{"n":${n},"text":"${PADDING}"}}`) };
    },
  };
  return [v2, classic];
}

/** One socket.io server, with acknowledgements and without; anybody may connect. */
export async function socketIo(stage: Stage): Promise<readonly [acknowledged: Peer, plain: Peer]> {
  const { pid, port } = await startScript(stage, new URL("./socketio.ts", import.meta.url));
  const connect =
    (packet: (n: number) => string): Peer["connect"] =>
    async (account, { arrived, acked }) => {
      const ready = Promise.withResolvers<void>();
      const onText = (text: string, { send }: Receiver) => {
        if (text.startsWith("43")) acked(Number(/^43(\d+)/.exec(text)?.[1]));
        else if (text.startsWith('42["message"')) arrived(numberIn(text));
        else if (text.startsWith('42["ready"')) ready.resolve();
        else if (text.startsWith("0")) send("40");
        else if (text === "2") send("3");
      };
      const { send } = await connectReceiver(stage, `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&account=${account}`, onText);
      await ready.promise;
      return { send: (to, n) => send(`${packet(n)}["pub",{"to":"${to}","data":{"n":${n},"text":"${PADDING}"}}]`) };
    };
  return [
    { name: "socket.io, acknowledged", pid, acks: true, connect: connect((n) => `42${n}`) },
    { name: "socket.io", pid, acks: false, connect: connect(() => "42") },
  ];
}

/** ws alone: finds the receiver in a Map and passes on what came. */
export async function bareWs(stage: Stage): Promise<Peer> {
  const { pid, port } = await startScript(stage, new URL("./relay.ts", import.meta.url));
  return {
    name: "bare ws relay",
    pid,
    acks: false,
    async connect(account, { arrived }) {
      const { send } = await connectReceiver(stage, `ws://127.0.0.1:${port}/?account=${account}`, (text) => arrived(numberIn(text)));
      return { send: (to, n) => send(`{"to":"${to}","data":{"n":${n},"text":"${PADDING}"}}`) };
    },
  };
}
