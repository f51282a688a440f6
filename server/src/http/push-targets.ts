// Where a push goes: the accounts, the rooms, then everyone, as it names them.
import type { components } from "../generated/openapi.ts";
import { accountTarget, appTarget, roomTarget, type Target } from "../protocol/target.ts";
import type { Published } from "../publish/publish.ts";
import { checkUnicode } from "./push-data.ts";
import { checkRoom } from "./room-name.ts";
import { invalidFields } from "./validation.ts";

type Push = components["schemas"]["Push"];
type PushResult = components["schemas"]["PushResult"];
/** The part of a push that says where it goes. */
export type Receivers = Pick<Push, "accounts" | "rooms" | "everyone">;

/**
 * The targets of a push that its schema has passed, in the order of its answer's `streams`.
 * @param field where the push stands in the request
 * @throws XlveinError BAD_REQUEST naming the field, also when it goes nowhere
 */
export function targetsOf(app: string, { accounts = [], rooms = [], everyone }: Receivers, field: string): readonly Target[] {
  const targets: Target[] = [];
  for (const [i, account] of accounts.entries()) {
    checkUnicode(account, `${field}.accounts[${i}]`);
    targets.push(accountTarget(app, account));
  }
  for (const [i, room] of rooms.entries()) {
    checkRoom(room, `${field}.rooms[${i}]`);
    targets.push(roomTarget(app, room));
  }
  if (everyone) targets.push(appTarget(app));
  if (targets.length === 0) throw invalidFields([{ field, message: "must have accounts, rooms or everyone" }]);
  return targets;
}

/** The answer for a message that was accepted; with streams where the store keeps one for every target. */
export function toResult({ msgId, duplicate, positions }: Published, { accounts = [], rooms = [], everyone }: Receivers): PushResult {
  const streams: NonNullable<PushResult["streams"]> = [];
  // A position that is lacking leaves all that follow out.
  const add = (name: { account?: string; room?: string }) => {
    const position = positions[streams.length];
    if (position) streams.push({ ...name, epoch: position.epoch, offset: position.offset });
  };
  for (const account of accounts) add({ account });
  for (const room of rooms) add({ room });
  if (everyone) add({});
  const complete = streams.length === accounts.length + rooms.length + (everyone ? 1 : 0);
  return complete ? { msg_id: msgId, duplicate, streams } : { msg_id: msgId, duplicate };
}

/** A text for each stream that a push goes to, the same for the same stream of one application. */
export function streamNames({ accounts = [], rooms = [], everyone }: Receivers): readonly string[] {
  return [...accounts.map((account) => `account ${account}`), ...rooms.map((room) => `room ${room}`), ...(everyone ? ["everyone"] : [])];
}
