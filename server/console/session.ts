// One account's connection: the SDK's client, with the frames as they travel and its troubles as sentences.
import { closeSentence, refusalSentence } from "./explain.ts";
import { memberText } from "./json-text.ts";
import type { Client, CreateClient, SdkError, State, StateChange } from "./sdk.ts";

export interface SessionEvents {
  /** `trouble` says why, and what to do, when the state is not what was asked for. */
  state(state: State, trouble: string | undefined): void;
  /** A frame as it went over the wire, when it arrived or just before it is sent. */
  frame(direction: "received" | "sent", text: string): void;
  /** Something else to know; the connection's state tells of itself. */
  problem(sentence: string): void;
}

export interface Session {
  readonly state: State;
  /** Connects as the token's account; ends the connection before. */
  open(appKey: string, token: string): void;
  /** Resolves when the server has accepted the message. Rejects when it was not taken; its error's message says why. */
  send(to: string, data: object): Promise<void>;
  /** The same to a room, which this account enters first. */
  sendToRoom(room: string, data: object): Promise<void>;
  close(): void;
}

export interface SessionOptions {
  readonly createClient: CreateClient;
  /** The server's address without a slash at the end. */
  readonly server: string;
  /** Why a handshake may have been refused. */
  readonly explain: () => Promise<{ readonly sentence: string; readonly final: boolean }>;
}

export function createSession({ createClient, server, explain }: SessionOptions, on: SessionEvents): Session {
  let client: Client | undefined;
  let state: State = "idle";

  function close(): void {
    const old = client;
    client = undefined;
    void old?.close();
  }

  async function lookUpRefusal(mine: Client): Promise<void> {
    const { sentence, final } = await explain();
    if (client !== mine || state === "connected") return;
    if (final) close();
    on.problem(sentence);
  }

  function open(appKey: string, token: string): void {
    close();
    const mine = createClient({ url: server, appKey, token, WebSocket: watched(on.frame) });
    client = mine;
    mine.on("state", (change) => {
      // The end of a client that another has replaced is no news.
      if (client !== mine && client !== undefined) return;
      state = change.state;
      on.state(state, troubleOf(change));
      if (change.previous === "connecting" && change.reason?.closeCode !== undefined) void lookUpRefusal(mine);
    });
    // What the server answered to a send is shown beside the send form.
    mine.on("error", (error) => error.code !== "refused" && on.problem(sentenceOf(error)));
    // Its failure comes as a state, too.
    mine.connect().catch(() => {});
  }

  function connected(): Client {
    if (client === undefined) throw new Error("Connect this account first");
    return client;
  }

  return {
    get state() {
      return state;
    },
    open,
    send: async (to, data) => void (await explained(connected().send(to, data))),
    sendToRoom: async (name, data) => {
      const room = connected().room(name);
      await explained(room.subscribe());
      await explained(room.send(data));
    },
    close,
  };
}

/** What an op was for, in the errors that the server answers with. */
async function explained<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const { serverCode, message } = error as SdkError;
    throw serverCode === undefined ? error : new Error(refusalSentence(serverCode, message.replace(/^\d+ /, "")).replace(/\.$/, ""));
  }
}

/** Frames that only keep the connection: they would hide the others. */
const HOUSEKEEPING = ["hello", "reply", "error", "ping", "pong", "refresh"];

/** A WebSocket that shows its frames to `see`. */
function watched(see: SessionEvents["frame"]): typeof WebSocket {
  const show: typeof see = (direction, text) => {
    if (!HOUSEKEEPING.includes(JSON.parse(memberText(text, "op") ?? '""'))) see(direction, text);
  };
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", ({ data }) => show("received", String(data)));
    }

    override send(data: string): void {
      show("sent", data);
      super.send(data);
    }
  };
}

function troubleOf({ reason, retryInMs }: StateChange): string | undefined {
  if (reason === undefined) return undefined;
  const retry = retryInMs === undefined ? "" : ` Next try in ${Math.ceil(retryInMs / 1000)} s.`;
  return sentenceOf(reason) + retry;
}

function sentenceOf({ code, message, closeCode }: SdkError): string {
  if (code === "connect_failed" && closeCode === 1006) return "The server refused the connection, or did not answer.";
  if (closeCode !== undefined) return closeSentence(closeCode);
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}
