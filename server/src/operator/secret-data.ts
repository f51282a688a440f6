// What stands in the Secret of the servers: two texts, plain as long as they fit, else compressed.
import { MAX_UNPACKED_BYTES, PACKED_ENDING, pack, unpack } from "../apps/packed.ts";

/** What the Secret says. */
export interface Texts {
  /** For the servers. */
  readonly applications: string;
  /** What only the operator remembers. */
  readonly state: string;
}

/** Keys of the Secret, each with PACKED_ENDING where it is compressed. */
export const APPLICATIONS = "applications.json";
export const STATE = "operator.json";
/** Kubernetes: of all values of a Secret together. */
export const MAX_SECRET_BYTES = 1_048_576;
/** New applications stay out above this, so that those inside can still rotate. */
export const ROOM_FOR_NEW_BYTES = 900_000;
/** Plain text again below this, and not a little below what made it compressed: it would go to and fro. */
const ROOM_FOR_PLAIN_BYTES = 700_000;

/** Whether these texts belong compressed, when those before were or were not. */
export function shouldPack({ applications, state }: Texts, before: boolean): boolean {
  return Buffer.byteLength(applications) + Buffer.byteLength(state) > (before ? ROOM_FOR_PLAIN_BYTES : ROOM_FOR_NEW_BYTES);
}

/** The data of the Secret, in base64. The same for the same texts. */
export function toData({ applications, state }: Texts, packed: boolean): Record<string, string> {
  const write = (text: string): string => (packed ? pack(text) : Buffer.from(text)).toString("base64");
  const ending = packed ? PACKED_ENDING : "";
  return { [`${APPLICATIONS}${ending}`]: write(applications), [`${STATE}${ending}`]: write(state) };
}

/** What Kubernetes counts of a Secret. */
export function bytesOf(data: Readonly<Record<string, string>>): number {
  return Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text, "base64"), 0);
}

/** Whether servers would unpack it. */
export function isReadable({ applications }: Texts): boolean {
  return Buffer.byteLength(applications) <= MAX_UNPACKED_BYTES;
}

/** The texts of a Secret. Throws a sentence when they are not there in exactly one way. */
export function readTexts(data: Readonly<Record<string, string>>): Texts & { readonly packed: boolean } {
  const packed = Object.hasOwn(data, `${APPLICATIONS}${PACKED_ENDING}`);
  if (packed && Object.hasOwn(data, APPLICATIONS)) throw new Error(`${APPLICATIONS} and ${APPLICATIONS}${PACKED_ENDING} are both there`);
  return { applications: readText(data, APPLICATIONS, packed), state: readText(data, STATE, packed), packed };
}

function readText(data: Readonly<Record<string, string>>, name: string, packed: boolean): string {
  const key = packed ? `${name}${PACKED_ENDING}` : name;
  const bytes = Buffer.from(data[key] ?? "", "base64");
  if (!packed) return bytes.toString();
  try {
    return unpack(bytes);
  } catch (error) {
    throw new Error(`${key} ${(error as Error).message}`);
  }
}
