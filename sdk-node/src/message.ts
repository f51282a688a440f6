// A message as the caller writes it, checked and turned into the API's JSON.
import { randomUUID } from "node:crypto";
import type { components } from "./generated/openapi.ts";
import { checkAccount, checkNames, checkRoom, checkText } from "./names.ts";

interface ToAnyone {
  /** One account. */
  readonly account?: string | undefined;
  /** Up to 1,000 different accounts, instead of `account`. */
  readonly accounts?: readonly string[] | undefined;
  /** Up to 100 different rooms: whoever is in them receives the message. */
  readonly rooms?: readonly string[] | undefined;
  /** `true`: everyone who is connected to the application. */
  readonly everyone?: true | undefined;
}

/** Who receives a message: one account or several, rooms, everyone, or more than one of these. */
export type Receiver =
  | (ToAnyone & { readonly account: string; readonly accounts?: undefined })
  | (ToAnyone & { readonly accounts: readonly string[]; readonly account?: undefined })
  | (ToAnyone & { readonly rooms: readonly string[]; readonly account?: undefined; readonly accounts?: undefined })
  | (ToAnyone & { readonly everyone: true; readonly account?: undefined; readonly accounts?: undefined });

/** What a message may be given beside its receivers and its data. */
export interface MessageOptions {
  /**
   * The same key with the same message within 5 minutes is delivered once; with another message it is an `XlveinConflictError`.
   * 1 to 128 characters. Made when left out, so that the retries of one call deliver once.
   */
  readonly idempotencyKey?: string | undefined;
  /** Names what the message is about, 1 to 128 characters: a client that is behind gets the latest of a key only, where the slow policy is `conflate`. */
  readonly key?: string | undefined;
  /** The connection that caused the message, as `connections` or the client names it: it is not sent it. */
  readonly exclude?: string | undefined;
  /** A W3C `traceparent`, at most 128 characters, passed through to the receivers. */
  readonly trace?: string | undefined;
}

/** A message: who receives it, and what. */
export type Message = Receiver &
  MessageOptions & {
    /** The message itself: an object that `JSON.stringify` can write. Clients receive it as `data`. */
    readonly data: object;
  };

type WireMessage = components["schemas"]["Push"];

/**
 * The message as JSON text, with a key: made once, so that every attempt sends the same bytes.
 * @throws TypeError that names the part at fault, `where` in front.
 */
export function messageText(where: string, message: Message): string {
  if (typeof message !== "object" || message === null) throw new TypeError(`${where}: pass an object like { account: "user_1", data: { text: "hello" } }`);
  const { data, idempotencyKey = randomUUID(), key, exclude, trace } = message;
  for (const [name, text] of Object.entries({ idempotencyKey, key, exclude, trace })) if (text !== undefined) checkText(`${where}: ${name}`, text);
  const envelope: Omit<WireMessage, "data"> = { ...receivers(where, message), ...given({ idempotency_key: idempotencyKey, key, exclude, trace }) };
  return `${JSON.stringify(envelope).slice(0, -1)},"data":${dataText(where, data)}}`;
}

/** `data` as JSON text. @throws TypeError when it is not an object or cannot be written. */
export function dataText(where: string, data: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } catch (cause) {
    throw new TypeError(`${where}: data cannot be written as JSON (a bigint, or an object that contains itself)`, { cause });
  }
  if (!text?.startsWith("{")) throw new TypeError(`${where}: data must be an object, like { text: "hello" }`);
  return text;
}

function receivers(where: string, message: Message): Pick<WireMessage, "accounts" | "rooms" | "everyone"> {
  const { account, accounts, rooms, everyone } = message as ToAnyone;
  if (account !== undefined && accounts !== undefined) throw new TypeError(`${where}: give either account or accounts`);
  if (account !== undefined) checkAccount(`${where}: account`, account);
  if (accounts !== undefined) checkNames(`${where}: accounts`, accounts, "account", checkAccount);
  if (rooms !== undefined) checkNames(`${where}: rooms`, rooms, "room", checkRoom);
  if (everyone !== undefined && everyone !== true) throw new TypeError(`${where}: everyone must be true, or left out`);
  const named = { accounts: account === undefined ? accounts : [account], rooms, everyone };
  if (Object.values(named).every((value) => value === undefined)) throw new TypeError(`${where}: give account, accounts, rooms or everyone`);
  return given(named) as Pick<WireMessage, "accounts" | "rooms" | "everyone">;
}

/** The members that are there. */
function given<T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}
