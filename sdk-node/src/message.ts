// A message as the caller writes it, checked and turned into the API's JSON.
import { randomUUID } from "node:crypto";
import type { components } from "./generated/openapi.ts";

/** One account, or up to 1,000 different ones. */
export type Receiver = { readonly account: string; readonly accounts?: undefined } | { readonly accounts: readonly string[]; readonly account?: undefined };

/** A message: who receives it, and what. */
export type Message = Receiver & {
  /** The message itself: an object that `JSON.stringify` can write. Clients receive it as `data`. */
  readonly data: object;
  /**
   * The same key with the same message within 5 minutes is delivered once; with another message it is an `XlveinConflictError`.
   * 1 to 128 characters. Made when left out, so that the retries of one call deliver once.
   */
  readonly idempotencyKey?: string | undefined;
};

type WireMessage = Required<components["schemas"]["Push"]>;

/**
 * The message as JSON text, with a key: made once, so that every attempt sends the same bytes.
 * @throws TypeError that names the part at fault, `where` in front.
 */
export function messageText(where: string, message: Message): string {
  if (typeof message !== "object" || message === null) throw new TypeError(`${where}: pass an object like { account: "user_1", data: { text: "hello" } }`);
  const { data, idempotencyKey = randomUUID() } = message;
  if (typeof idempotencyKey !== "string" || idempotencyKey === "") throw new TypeError(`${where}: idempotencyKey must be a non-empty string`);
  const envelope: Omit<WireMessage, "data"> = { accounts: receivers(where, message), idempotency_key: idempotencyKey };
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

/** @throws TypeError, `name` in front. */
export function checkAccount(name: string, account: unknown): asserts account is string {
  if (typeof account !== "string" || account === "") throw new TypeError(`${name} must be a non-empty string`);
}

function receivers(where: string, { account, accounts }: Message): string[] {
  if ((account === undefined) === (accounts === undefined)) throw new TypeError(`${where}: give either account or accounts`);
  if (accounts === undefined) {
    checkAccount(`${where}: account`, account);
    return [account];
  }
  if (!Array.isArray(accounts) || accounts.length === 0) throw new TypeError(`${where}: accounts must be an array of at least one account`);
  for (const [i, one] of accounts.entries()) checkAccount(`${where}: accounts[${i}]`, one);
  return accounts;
}
