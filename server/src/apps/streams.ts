// Reads what an application says about its streams: how much they keep, what happens to slow readers, and its rules for rooms.
import type { Report } from "../config/report.ts";
import { isWholeUnicode } from "../protocol/scan.ts";
import { type HistoryRule, PUBLISHERS, type RoomRule, SLOW_POLICIES } from "./app.ts";
import { type Fields, openFields } from "./fields.ts";

const HISTORY_FIELDS = ["messages", "seconds"];
const ROOM_FIELDS = ["prefix", "history", "publish", "slow"];
const MAX_MESSAGES = 10_000;
const MAX_SECONDS = 30 * 86_400;
/** As long as a room's name, UTF-16 units. */
const MAX_PREFIX = 256;

/** `history` of an application or of a rule; `undefined` when absent. Either number 0 keeps none, and needs no other. */
export function readHistory(owner: Fields, report: Report): HistoryRule | undefined {
  const fields = owner.fields("history", HISTORY_FIELDS);
  if (!fields) return undefined;
  const messages = fields.whole("messages", { min: 0, max: MAX_MESSAGES }, 0);
  const seconds = fields.whole("seconds", { min: 0, max: MAX_SECONDS }, 0);
  if (!HISTORY_FIELDS.some((name) => fields.raw(name) === 0)) {
    for (const name of HISTORY_FIELDS) if (!fields.has(name)) report.error([...fields.path, name], "is missing");
  }
  return { messages: seconds === 0 ? 0 : messages, ms: seconds * 1000 };
}

/** `rooms`, longest prefix first. */
export function readRooms(app: Fields, report: Report): readonly RoomRule[] {
  const rules = new Map<string, RoomRule>();
  for (const { value, path } of app.list("rooms")) {
    const fields = openFields(value, path, ROOM_FIELDS, report);
    if (!fields) continue;
    const prefix = readPrefix(fields, report);
    const rule = {
      history: readHistory(fields, report),
      publish: fields.choice("publish", PUBLISHERS, "members"),
      slow: fields.choice("slow", SLOW_POLICIES, undefined),
    };
    if (prefix === undefined) continue;
    if (rules.has(prefix)) report.error([...path, "prefix"], `${JSON.stringify(prefix)} is used by a rule before`);
    rules.set(prefix, { prefix, ...rule });
  }
  return [...rules.values()].sort((a, b) => b.prefix.length - a.prefix.length);
}

function readPrefix(fields: Fields, report: Report): string | undefined {
  const path = [...fields.path, "prefix"];
  if (!fields.has("prefix")) report.error(path, "is missing");
  const prefix = fields.text("prefix");
  if (prefix === undefined) return undefined;
  if (prefix.length > MAX_PREFIX) report.error(path, `must have at most ${MAX_PREFIX} characters`);
  else if (prefix.includes("*")) report.error(path, "must not hold *: it fits every room that begins with it", { suggestion: withoutStar(prefix) });
  else if (!isWholeUnicode(prefix)) report.error(path, "must not hold half of a surrogate pair");
  else return prefix;
  return undefined;
}

/** `news:*` means `news:`; what a star in between means cannot be said. */
function withoutStar(prefix: string): string | undefined {
  const text = prefix.replace(/\*$/, "");
  return text.includes("*") ? undefined : JSON.stringify(text);
}
