// The tokens that a backend makes for its clients: to connect, and to enter a room.
import type { KeyObject } from "node:crypto";
import jwt from "jsonwebtoken";
import type { components } from "./generated/openapi.ts";
import { checkAccount, checkPattern, checkRoom } from "./names.ts";
import { whole } from "./options.ts";

/** What a client may do: `direct` send to accounts, `publish` publish to rooms, `history` read streams back. */
export type Right = components["schemas"]["Right"];

/** What a connect token may be given. */
export interface TokenOptions {
  /** Lifetime in seconds; connecting later than this is refused. Default 2,592,000 (30 days). */
  readonly expiresInSeconds?: number | undefined;
  /** Rooms that the client may enter: at most 100 names, or patterns in which `*` stands for any characters. Default: those that `rooms.add` opens to its account. */
  readonly rooms?: readonly string[] | undefined;
  /** What the client may do; an empty list is nothing but to receive. Default: the application's `client_rights`, which are all unless set. */
  readonly can?: readonly Right[] | undefined;
  /** Further claims. `sub`, `iat`, `exp`, `rooms` and `can` are set by this package and refused here. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/** What a room token may be given. */
export interface RoomTokenOptions {
  /** Lifetime in seconds: the client leaves the room then, unless something else opens it. Default 3,600 (an hour). */
  readonly expiresInSeconds?: number | undefined;
}

const HOUR_SECONDS = 3_600;
const THIRTY_DAYS_SECONDS = 2_592_000;
/** 100 years: more is a mistake of units. */
const MAX_SECONDS = 3_153_600_000;
/** Most names in `rooms`, by PROTOCOL.md. */
const MAX_ROOMS = 100;
const OWN_CLAIMS = ["sub", "iat", "exp"];
/** Claims that are options of their own. */
const OPTIONS = ["rooms", "can"];
const RIGHTS: Readonly<Record<Right, true>> = { direct: true, publish: true, history: true };
/** A client that held such a token could use it for something else than to connect. */
const OTHER_AUDIENCES: Readonly<Record<string, string>> = { "xlvein-api": "API tokens", "xlvein-room": "room tokens" };

/** Answers the function that signs connect tokens (HS256) with the application's key. */
export function createToken(key: KeyObject, now: () => number): (account: string, options?: TokenOptions) => string {
  return (account, { expiresInSeconds = THIRTY_DAYS_SECONDS, rooms, can, claims = {} } = {}) => {
    checkAccount("token: account", account);
    checkClaims(claims);
    if (rooms !== undefined) checkRooms(rooms);
    if (can !== undefined) checkRights(can);
    const iat = Math.floor(now() / 1000);
    const exp = iat + whole("token: expiresInSeconds", expiresInSeconds, 1, MAX_SECONDS);
    return jwt.sign({ ...claims, sub: account, iat, exp, ...(rooms && { rooms }), ...(can && { can }) }, key, { algorithm: "HS256" });
  };
}

/** Answers the function that signs room tokens: each lets one account enter one room. */
export function createRoomToken(key: KeyObject, now: () => number): (account: string, room: string, options?: RoomTokenOptions) => string {
  return (account, room, { expiresInSeconds = HOUR_SECONDS } = {}) => {
    checkAccount("roomToken: account", account);
    checkRoom("roomToken: room", room);
    const iat = Math.floor(now() / 1000);
    const exp = iat + whole("roomToken: expiresInSeconds", expiresInSeconds, 1, MAX_SECONDS);
    return jwt.sign({ aud: "xlvein-room", sub: account, room, iat, exp }, key, { algorithm: "HS256" });
  };
}

function checkClaims(claims: Readonly<Record<string, unknown>>): void {
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) throw new TypeError("token: claims must be an object");
  for (const name of OWN_CLAIMS) if (Object.hasOwn(claims, name)) throw new TypeError(`token: claims.${name} is set by token() itself: leave it out`);
  for (const name of OPTIONS) if (Object.hasOwn(claims, name)) throw new TypeError(`token: claims.${name} is an option of its own: give it as \`${name}\``);
  const audiences = [claims.aud].flat();
  for (const [other, kind] of Object.entries(OTHER_AUDIENCES))
    if (audiences.includes(other)) throw new TypeError(`token: claims.aud "${other}" is for ${kind}: leave it out`);
}

function checkRooms(rooms: readonly string[]): void {
  if (!Array.isArray(rooms)) throw new TypeError("token: rooms must be an array");
  if (rooms.length > MAX_ROOMS) throw new RangeError(`token: rooms must hold at most ${MAX_ROOMS} names or patterns, got ${rooms.length}`);
  for (const [i, room] of rooms.entries()) checkPattern(`token: rooms[${i}]`, room);
}

function checkRights(can: readonly Right[]): void {
  if (!Array.isArray(can)) throw new TypeError("token: can must be an array");
  for (const [i, right] of can.entries())
    if (!Object.hasOwn(RIGHTS, right)) throw new TypeError(`token: can[${i}] must be one of ${Object.keys(RIGHTS).join(", ")}`);
}
