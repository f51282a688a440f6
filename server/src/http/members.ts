// Who the backend lets into rooms: adding, removing and listing.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Membership } from "../control/membership.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import type { PushRates } from "../limits/push-rates.ts";
import { accountOf } from "./accounts.ts";
import { callerOf } from "./caller.ts";
import { checkUnicode } from "./push-data.ts";
import { roomOf } from "./room-name.ts";

type Members = components["schemas"]["Members"];
type MemberList = components["schemas"]["MemberList"];
type RoomList = components["schemas"]["RoomList"];

const DEFAULT_LIMIT = 100;

export interface MembersOptions {
  membership: Pick<Membership, "add" | "remove" | "members" | "roomsOf">;
  rates: PushRates;
}

/** POST /api/v1/rooms/{room}/members, and …/members/remove */
export function createChangeMembers({ membership, rates }: MembersOptions, change: "add" | "remove") {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const app = callerOf(request);
    rates.take(app);
    if (request.body === undefined) throw new XlveinError(ErrorCode.BAD_REQUEST, "body is missing");
    const room = roomOf(request);
    const { accounts } = request.body as Members;
    for (const [i, account] of accounts.entries()) checkUnicode(account, `body.accounts[${i}]`);
    await membership[change](app.key, room, accounts);
    return reply.code(204).send();
  };
}

/** GET /api/v1/rooms/{room}/members */
export function createRoomMembers({ membership, rates }: MembersOptions) {
  return async (request: FastifyRequest): Promise<MemberList> => {
    const app = callerOf(request);
    rates.take(app);
    const { cursor, limit = DEFAULT_LIMIT } = request.query as { cursor?: string; limit?: number };
    // One more tells whether another page follows.
    const found = await membership.members(app.key, roomOf(request), cursor, limit + 1);
    const members = found.slice(0, limit);
    const next = found.length > limit ? members.at(-1) : undefined;
    return { members, ...(next === undefined ? {} : { next }) };
  };
}

/** GET /api/v1/accounts/{account}/rooms */
export function createAccountRooms({ membership, rates }: MembersOptions) {
  return async (request: FastifyRequest): Promise<RoomList> => {
    const app = callerOf(request);
    rates.take(app);
    return { rooms: [...(await membership.roomsOf(app.key, accountOf(request)))] };
  };
}
