// The names of rooms, as far as a schema does not check them.
import type { FastifyRequest } from "fastify";
import { isRoomName } from "../protocol/ops.ts";
import { checkUnicode } from "./push-data.ts";
import { invalidFields } from "./validation.ts";

/** Refuses what a schema lets pass and is no room's name, as a `*`, which stands for any characters in tokens. Throws BAD_REQUEST naming the field. */
export function checkRoom(room: string, field: string): void {
  if (room.includes("*")) throw invalidFields([{ field, message: "must not hold a *" }]);
  checkUnicode(room, field);
  // A schema counts characters; the frames of clients count UTF-16 units.
  if (!isRoomName(room)) throw invalidFields([{ field, message: "must be a text of 1 to 256 characters" }]);
}

/** The room in the path. */
export function roomOf(request: FastifyRequest): string {
  const { room } = request.params as { room: string };
  checkRoom(room, "path.room");
  return room;
}
