// What a backend does with rooms: who may enter, what is sent there.
import { createRoomHistory, type History, type HistoryOptions } from "./history.ts";
import { createChangeMembers, createMembers, createMembersPage, type MembersOptions, type MembersPage, type MembersPageOptions } from "./members.ts";
import { checkRoom } from "./names.ts";
import { createPush, type PublishOptions, type PushResult } from "./push.ts";
import type { CallOptions, Send } from "./transport.ts";

/** Rooms of the application. A room needs no making: it is there as soon as somebody enters it or something is sent to it. */
export interface Rooms {
  /**
   * Lets accounts enter a room from now on, until they are removed; connected clients are told. Adding again does no harm.
   * Rejects with `ErrorCode.TOO_MANY_ROOMS` when one of them is in 1,000 rooms already; others may have been added then.
   */
  add(room: string, accounts: string | readonly string[], options?: CallOptions): Promise<void>;
  /** Takes the right back; connections of the accounts leave the room at once, unless their token opens it. Removing again does no harm. */
  remove(room: string, accounts: string | readonly string[], options?: CallOptions): Promise<void>;
  /** The accounts that were added to the room, in the order of the UTF-8 bytes of their names: `for await (const account of rooms.members("chat:1"))`. */
  members(room: string, options?: MembersOptions): AsyncIterableIterator<string>;
  /** One page of them. */
  membersPage(room: string, options?: MembersPageOptions): Promise<MembersPage>;
  /** `push` to one room: whoever is in it receives the message. */
  publish(room: string, data: object, options?: PublishOptions): Promise<PushResult>;
  /** What was sent to the room, as far as it is kept. */
  history(room: string, options?: HistoryOptions): Promise<History>;
}

/** Makes the part of the client that is about rooms. */
export function createRooms(send: Send): Rooms {
  const push = createPush(send, "rooms.publish");
  return Object.freeze({
    add: createChangeMembers(send, "rooms.add"),
    remove: createChangeMembers(send, "rooms.remove"),
    members: createMembers(send),
    membersPage: createMembersPage(send),
    async publish(room: string, data: object, options: PublishOptions = {}) {
      checkRoom("rooms.publish: room", room);
      return push({ ...options, rooms: [room], data });
    },
    history: createRoomHistory(send),
  });
}
