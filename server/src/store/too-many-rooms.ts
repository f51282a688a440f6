// The refusal of an account that is in as many rooms as it can be, the same from every store.
import { ErrorCode, XlveinError } from "../errors.ts";
import { MAX_ROOMS } from "./store.ts";

/** Names the account. */
export function tooManyRooms(account: string): XlveinError {
  return new XlveinError(ErrorCode.TOO_MANY_ROOMS, `The account ${account} has been added to ${MAX_ROOMS} rooms; it can be added to no more.`);
}
