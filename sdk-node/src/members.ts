// Who was added to a room, and which rooms an account was added to.
import { type Answer, foreignError, isObject } from "./answer.ts";
import { chunks } from "./chunks.ts";
import { accountPath, checkAccount, checkNames, checkText, roomPath } from "./names.ts";
import { whole } from "./options.ts";
import type { CallOptions, Send } from "./transport.ts";

/** How a room's members are read. */
export interface MembersOptions extends CallOptions {
  /** Accounts in one request at most, 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
}

/** Which page of a room's members. */
export interface MembersPageOptions extends MembersOptions {
  /** The `next` of the page before. Default: the first page. */
  readonly cursor?: string | undefined;
}

/** A page of a room's members. */
export interface MembersPage {
  /** In the order of the UTF-8 bytes of their names. */
  readonly members: readonly string[];
  /** The `cursor` of the next page; absent on the last. */
  readonly next?: string;
}

/** Answers the function that reads one page of a room's members. */
export function createMembersPage(send: Send): (room: string, options?: MembersPageOptions) => Promise<MembersPage> {
  return async (room, options) => readPage(send, "rooms.membersPage", room, options);
}

/** Answers the function that goes through all of a room's members, a request for each page. Wrong arguments throw at once. */
export function createMembers(send: Send): (room: string, options?: MembersOptions) => AsyncIterableIterator<string> {
  return (room, options = {}) => {
    membersPath("rooms.members", room, options);
    return allMembers(send, room, options);
  };
}

async function* allMembers(send: Send, room: string, options: MembersOptions): AsyncGenerator<string, undefined> {
  let cursor: string | undefined;
  do {
    const { members, next } = await readPage(send, "rooms.members", room, { ...options, cursor });
    yield* members;
    cursor = next;
  } while (cursor !== undefined);
}

/** Answers the function that lets accounts enter a room, or no longer. More than 1,000 are sent in several requests, one after the other. */
export function createChangeMembers(
  send: Send,
  operation: "rooms.add" | "rooms.remove",
): (room: string, accounts: string | readonly string[], options?: CallOptions) => Promise<void> {
  const template = operation === "rooms.add" ? "/api/v1/rooms/{room}/members" : "/api/v1/rooms/{room}/members/remove";
  return async (room, accounts, options) => {
    const path = roomPath(operation, template, room);
    const list = typeof accounts === "string" ? [accounts] : accounts;
    checkNames(`${operation}: accounts`, list, "account", checkAccount);
    const texts = [...new Set(list)].map((account) => JSON.stringify(account));
    for (const chunk of chunks(texts)) {
      const body = { type: "application/json", text: `{"accounts":[${chunk.join(",")}]}` } as const;
      await send({ operation, method: "POST", path, body, read: () => undefined }, options);
    }
  };
}

/** Answers the function that lists the rooms that an account was added to, in no order. */
export function createAccountRooms(send: Send): (account: string, options?: CallOptions) => Promise<string[]> {
  return async (account, options) => {
    const path = accountPath("accountRooms", "/api/v1/accounts/{account}/rooms", account);
    return send({ operation: "accountRooms", method: "GET", path, read: readRooms }, options);
  };
}

async function readPage(send: Send, operation: string, room: string, { cursor, limit, ...options }: MembersPageOptions = {}): Promise<MembersPage> {
  return send({ operation, method: "GET", path: membersPath(operation, room, { cursor, limit }), read: readMembers }, options);
}

function membersPath(operation: string, room: string, { cursor, limit }: MembersPageOptions): string {
  const path = roomPath(operation, "/api/v1/rooms/{room}/members", room);
  const query = new URLSearchParams();
  if (limit !== undefined) query.set("limit", String(whole(`${operation}: limit`, limit, 1, 1_000)));
  if (cursor !== undefined) {
    checkText(`${operation}: cursor`, cursor);
    query.set("cursor", cursor);
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

function readMembers(answer: Answer): MembersPage {
  const { members, next } = isObject(answer.body) ? answer.body : {};
  if (!isTexts(members) || !(next === undefined || typeof next === "string")) throw foreignError(answer);
  return { members, ...(next !== undefined && { next }) };
}

function readRooms(answer: Answer): string[] {
  const rooms = isObject(answer.body) ? answer.body.rooms : undefined;
  if (!isTexts(rooms)) throw foreignError(answer);
  return rooms;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
