// What an application says about one of its streams: the rule of the room, else its own, else the store's default.
import type { Target } from "../protocol/target.ts";
import type { App, HistoryRule, Publishers, RoomRule, SlowPolicy } from "./app.ts";

/** The rule for a room, if the application has one. */
export function roomRule(app: App | undefined, room: string): RoomRule | undefined {
  return app?.rooms.find(({ prefix }) => room.startsWith(prefix));
}

/** What the stream keeps; `undefined` where the application leaves it to the store's default. */
export function historyOf(app: App | undefined, { kind, name }: Target): HistoryRule | undefined {
  return (kind === "room" ? roomRule(app, name)?.history : undefined) ?? app?.history;
}

export function slowOf(app: App | undefined, { kind, name }: Target): SlowPolicy {
  return (kind === "room" ? roomRule(app, name)?.slow : undefined) ?? app?.slow ?? "close";
}

export function publishersOf(app: App | undefined, room: string): Publishers {
  return roomRule(app, room)?.publish ?? "members";
}
