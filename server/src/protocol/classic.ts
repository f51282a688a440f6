// The classic frames: the one that clients receive, and the one they send.
import { XlveinError } from "../errors.ts";
import { Event, type Message } from "./message.ts";
import { isWholeUnicode, scanObject } from "./scan.ts";
import type { Target } from "./target.ts";

/** Longest name of a receiver, UTF-16 units. */
const MAX_ACCOUNT = 4_096;

/**
 * The text of the frame that `account` receives of a message to `target`; `data` goes in as the sender wrote it.
 * That of a room or an account is the same for all who receive it.
 */
export function encodeClassic({ kind, name }: Target, account: string, { from, event: sent, data, msgId, sendAt }: Message): string {
  const event = kind === "room" ? Event.ROOM : kind === "app" ? Event.SYSTEM : sent;
  const to = JSON.stringify(kind === "app" ? account : name);
  const sender = from === undefined ? "" : `"from":${JSON.stringify(from)},`;
  const conversation = event === Event.SYSTEM ? "" : `,"conversation_id":${to}`;
  return `{${sender}"to":${to},"event":${event},"data":${data},"msg_id":"${msgId}","send_at":${sendAt}${conversation}}`;
}

/** What a client asked to send. */
export interface ClassicSend {
  /** `room` for a frame with `event` 2. */
  readonly kind: "account" | "room";
  /** The account or the room. */
  readonly to: string;
  /** A JSON object, as written. */
  readonly data: string;
}

/** Why a frame is skipped: the `reason` of `xlvein_messages_dropped_total`. The last two are for those to find who know the sender. */
export type Unwanted = "unparsable" | "no_recipient_named" | "data_not_object" | "not_in_room" | "not_authorised";

/** Reads a client's frame. Never throws: a classic client gets no error frames, so the caller counts the reason. */
export function decodeClassicSend(text: string, maxDepth: number): ClassicSend | Unwanted {
  let members: ReturnType<typeof scanObject>;
  try {
    members = scanObject(text, maxDepth);
  } catch (error) {
    if (error instanceof XlveinError) return "unparsable";
    throw error;
  }
  const member = (name: string): string | undefined => {
    const span = members.get(name);
    return span && text.slice(span.start, span.end);
  };
  const to = parseAccount(member("to"));
  if (to === undefined) return "no_recipient_named";
  const data = member("data");
  if (!data?.startsWith("{")) return "data_not_object";
  return { kind: Number(member("event")) === Event.ROOM ? "room" : "account", to, data };
}

/** The account that a JSON value names, if it can name one. */
function parseAccount(value: string | undefined): string | undefined {
  if (!value?.startsWith('"')) return undefined;
  const account = JSON.parse(value) as string;
  return account.length > 0 && account.length <= MAX_ACCOUNT && isWholeUnicode(account) ? account : undefined;
}
