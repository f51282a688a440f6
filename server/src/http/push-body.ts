// The JSON body of a push, read once: the data of its messages is found and stays the text it was written as; only the rest is parsed.
import { endOfText, endOfValue, JsonSyntaxError, openObject, readArray, readObject } from "../protocol/scan.ts";
import { parseJson } from "./body.ts";

/** The `data` of one message, as it stands in the body. */
export interface Data {
  readonly text: string;
  /** It is nested deeper than it may be. */
  readonly tooDeep: boolean;
}

export interface PushBody {
  /** What JSON.parse answers, but with an empty object for each data that was found. */
  readonly value: unknown;
  /** That of each message, in their order; `undefined` where it is no object. Absent where nobody looked for it. */
  readonly data?: readonly (Data | undefined)[];
}

/** Reads a JSON text, which may be empty. `maxDepth` is for the data alone. Throws BAD_REQUEST as `parseJson` does. */
type ReadPushBody = (text: string, maxDepth: number) => Required<PushBody>;

/** A body that is one message. */
export const readPush: ReadPushBody = (text, maxDepth) => read(text, (start, found) => findInMessage(text, start, maxDepth, found));

/** A body with a list of `messages`. */
export const readBatch: ReadPushBody = (text, maxDepth) =>
  read(text, (start, found) =>
    readObject(text, start, BODY, (key, at) => {
      // Of a repeated member the last one counts.
      if (key === "messages") found.length = 0;
      if (key !== "messages" || text[at] !== "[") return endOfValue(text, at, Number.POSITIVE_INFINITY, BODY);
      return readArray(text, at, BODY, (element) => findInMessage(text, element, maxDepth, found));
    }),
  );

interface Found extends Omit<Data, "text"> {
  readonly start: number;
  readonly end: number;
}

const BODY = "body";
/** A data that is a smaller part of the body than this does not keep the whole body in memory. */
const OWN_TEXT_BELOW = 1 / 4;

/** `find` notes the data of each message of the object at `start` and answers where that ends. */
function read(text: string, find: (start: number, found: (Found | undefined)[]) => number): Required<PushBody> {
  const found: (Found | undefined)[] = [];
  try {
    endOfText(text, find(openObject(text, BODY), found), BODY, undefined);
  } catch (error) {
    // What is no object, or not JSON, is told as for every other body.
    if (error instanceof JsonSyntaxError) return { value: parseJson(text), data: [] };
    throw error;
  }
  return { value: JSON.parse(withoutData(text, found)), data: found.map((each) => each && { text: cut(text, each), tooDeep: each.tooDeep }) };
}

function findInMessage(text: string, start: number, maxDepth: number, found: (Found | undefined)[]): number {
  let data: Found | undefined;
  const endOfMember = (key: string, at: number) => {
    if (key !== "data") return endOfValue(text, at, Number.POSITIVE_INFINITY, BODY);
    data = text[at] === "{" ? findData(text, at, maxDepth) : undefined;
    return data?.end ?? endOfValue(text, at, Number.POSITIVE_INFINITY, BODY);
  };
  const end = text[start] === "{" ? readObject(text, start, BODY, endOfMember) : endOfValue(text, start, Number.POSITIVE_INFINITY, BODY);
  found.push(data);
  return end;
}

function findData(text: string, start: number, maxDepth: number): Found {
  try {
    return { start, end: endOfValue(text, start, maxDepth, BODY), tooDeep: false };
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw error;
    return { start, end: endOfValue(text, start, Number.POSITIVE_INFINITY, BODY), tooDeep: true };
  }
}

function withoutData(text: string, found: readonly (Found | undefined)[]): string {
  let rest = "";
  let from = 0;
  for (const data of found) {
    if (!data) continue;
    rest += `${text.slice(from, data.start)}{}`;
    from = data.end;
  }
  return rest + text.slice(from);
}

/** V8 answers a part of a text as a view of it; a text that was put together is a new one, of which the rest is a view. */
function cut(text: string, { start, end }: Found): string {
  const part = text.slice(start, end);
  return part.length < text.length * OWN_TEXT_BELOW ? ` ${part}`.slice(1) : part;
}
