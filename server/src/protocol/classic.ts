// The classic frames: the one that clients receive, and the one they send.
import { XlveinError } from "../errors.ts";
import { Event, type Message } from "./message.ts";
import { isWholeUnicode, scanObject } from "./scan.ts";

/** Longest name of a receiver, UTF-16 units. */
const MAX_ACCOUNT = 4_096;

/** The text frame that `account` receives; `data` goes in as the sender wrote it. */
export function encodeClassic(account: string, { from, event, data, msgId, sendAt }: Message): Buffer {
  const to = JSON.stringify(account);
  const sender = from === undefined ? "" : `"from":${JSON.stringify(from)},`;
  const conversation = event === Event.SYSTEM ? "" : `,"conversation_id":${to}`;
  return Buffer.from(`{${sender}"to":${to},"event":${event},"data":${data},"msg_id":"${msgId}","send_at":${sendAt}${conversation}}`);
}

/** What a client asked to send. */
export interface ClassicSend {
  readonly to: string;
  /** A JSON object, as written. */
  readonly data: string;
}

/** Why a frame is skipped: the `reason` of `xlvein_messages_dropped_total`. */
export type Unwanted = "unparsable" | "no_recipient_named" | "data_not_object" | "not_in_room";

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
  if (Number(member("event") ?? Event.CHAT) === Event.ROOM) return "not_in_room";
  const data = member("data");
  if (!data?.startsWith("{")) return "data_not_object";
  return { to, data };
}

/** The account that a JSON value names, if it can name one. */
function parseAccount(value: string | undefined): string | undefined {
  if (!value?.startsWith('"')) return undefined;
  const account = JSON.parse(value) as string;
  return account.length > 0 && account.length <= MAX_ACCOUNT && isWholeUnicode(account) ? account : undefined;
}
