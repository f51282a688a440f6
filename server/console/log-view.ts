// The live log of a pane: one entry for each frame and each change of state, newest last.
import { make } from "./dom.ts";
import { layOut, memberText } from "./json-text.ts";

/** Entries kept on the page and, while paused, in waiting; the oldest go first. */
export const LOG_ENTRIES = 500;
/** The wire's `event`. */
const EVENTS: Readonly<Record<string, string>> = { 0: "push", 1: "chat", 2: "room" };
/** Longer JSON starts folded, characters. */
const FOLD_CHARACTERS = 2000;
/** Longer JSON is not coloured, characters: thousands of elements make a page slow. */
const COLOUR_CHARACTERS = 20_000;

export type LogEntry =
  | { readonly kind: "frame"; readonly direction: "received" | "sent"; readonly text: string; readonly own: string; readonly atMs: number }
  | { readonly kind: "note"; readonly tone: "good" | "plain" | "bad"; readonly text: string; readonly atMs: number };

/** For the counts beside the log. */
export interface LogCounts {
  /** Frames since the last clear. */
  readonly frames: number;
  /** Entries on the page. */
  readonly entries: number;
  /** Entries that wait for the end of a pause. */
  readonly waiting: number;
}

export interface LogView {
  add(entry: LogEntry): void;
  clear(): void;
  /** Frames as they travelled, instead of laid out. */
  setRaw(raw: boolean): void;
  /** Entries wait until it is called with false. */
  setPaused(paused: boolean): void;
}

/** Fills `list`, which scrolls in `region`. `senderOf` gives the colour of a sender's account, "" being the API. */
export function createLogView(
  list: HTMLOListElement,
  region: HTMLElement,
  senderOf: (account: string) => string,
  onCount: (counts: LogCounts) => void,
): LogView {
  const shown: LogEntry[] = [];
  let waiting: LogEntry[] = [];
  let raw = false;
  let paused = false;
  let frames = 0;
  let drawing = 0;

  const count = () => onCount({ frames, entries: shown.length, waiting: paused ? waiting.length : 0 });

  /** Once a frame of the screen, however many arrive. */
  function draw(): void {
    drawing = 0;
    const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 48;
    shown.push(...waiting);
    list.append(...waiting.map((entry) => itemOf(entry, raw, senderOf)));
    waiting = [];
    for (const _ of shown.splice(0, Math.max(0, shown.length - LOG_ENTRIES))) list.firstElementChild?.remove();
    if (atEnd) region.scrollTop = region.scrollHeight;
    count();
  }

  return {
    add(entry) {
      if (entry.kind === "frame") frames += 1;
      waiting.push(entry);
      if (waiting.length > LOG_ENTRIES) waiting.shift();
      if (paused) count();
      else if (drawing === 0) drawing = requestAnimationFrame(draw);
    },
    clear() {
      shown.length = frames = 0;
      waiting = [];
      list.replaceChildren();
      count();
    },
    setRaw(on) {
      raw = on;
      list.replaceChildren(...shown.map((entry) => itemOf(entry, raw, senderOf)));
      region.scrollTop = region.scrollHeight;
    },
    setPaused(on) {
      paused = on;
      cancelAnimationFrame(drawing);
      drawing = 0;
      if (!on) draw();
    },
  };
}

function itemOf(entry: LogEntry, raw: boolean, senderOf: (account: string) => string): HTMLLIElement {
  const time = timeOf(entry.atMs);
  if (entry.kind === "note") return make("li", `note note-${entry.tone}`, time, make("span", "note-text", entry.text));
  const { direction, text } = entry;
  const from = stringOf(text, "from");
  const item = make("li", `frame ${direction}`, make("p", "frame-head", time, ...aboutOf(direction, from, text)));
  item.dataset.sender = direction === "sent" ? entry.own : senderOf(from);
  item.append(bodyOf(raw ? text : (memberText(text, "data") ?? text), raw));
  return item;
}

function aboutOf(direction: "received" | "sent", from: string, text: string): HTMLElement[] {
  const op = stringOf(text, "op");
  if (direction === "sent")
    return [make("span", "direction", op === "pub" ? "sent to " : `sent ${op} `), make("b", "", stringOf(text, "to") || stringOf(text, "room"))];
  if (op !== "") return [make("span", "direction", `received ${op} `), make("b", "", stringOf(text, "room") || stringOf(text, "stream"))];
  const event = memberText(text, "event") ?? "";
  const kind = make("span", "event", `event ${event}${EVENTS[event] === undefined ? "" : `, ${EVENTS[event]}`}`);
  return [make("span", "direction", "received from "), make("b", "", from === "" ? "the API" : from), kind];
}

function bodyOf(text: string, raw: boolean): HTMLElement {
  if (text.length <= FOLD_CHARACTERS) return codeOf(text, raw);
  const fold = make("details", "fold", make("summary", "", `${text.slice(0, 60)}… ${text.length.toLocaleString("en")} characters`));
  fold.addEventListener("toggle", () => fold.append(codeOf(text, raw)), { once: true });
  return fold;
}

function codeOf(text: string, raw: boolean): HTMLPreElement {
  const pieces = raw || text.length > COLOUR_CHARACTERS ? undefined : layOut(text);
  if (pieces === undefined) return make("pre", "json", text);
  return make("pre", "json", ...pieces.map(({ kind, text }) => (kind === "mark" ? text : make("span", `json-${kind}`, text))));
}

function stringOf(frame: string, name: string): string {
  const text = memberText(frame, name);
  if (text === undefined || !text.startsWith('"')) return "";
  return JSON.parse(text) as string;
}

function timeOf(atMs: number): HTMLTimeElement {
  const at = new Date(atMs);
  const time = make("time", "", `${at.toLocaleTimeString("en-GB")}.${String(at.getMilliseconds()).padStart(3, "0")}`);
  time.dateTime = at.toISOString();
  return time;
}
