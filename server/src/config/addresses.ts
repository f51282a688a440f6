// One broker address or several, as the file, the environment and the command line write them.

/** The addresses of a value: a text is one, "" is none. */
export function addressList(value: string | readonly string[]): readonly string[] {
  if (typeof value !== "string") return value;
  return value === "" ? [] : [value];
}

/** Throws a sentence unless the value is a text or a list of texts. Never quotes it. */
export function checkAddresses(value: unknown): void {
  if (typeof value === "string") return;
  if (!Array.isArray(value)) throw new Error("must be an address or a list of addresses, in quotes");
  const wrong = value.findIndex((each) => typeof each !== "string" || each.trim() === "");
  if (wrong !== -1) throw new Error(`must be an address or a list of addresses, in quotes; the ${ordinal(wrong)} is none`);
}

/**
 * What a text means that stands for a value: a JSON list, else addresses parted by white space.
 * Commas part the hosts of one address.
 */
export function readAddresses(text: string): string | readonly string[] {
  const list = readJsonList(text) ?? text.split(/\s+/).filter((each) => each !== "");
  return list.length > 1 ? list : (list[0] ?? "");
}

/** `1st`, `2nd`, `11th`; `index` counts from 0. */
export function ordinal(index: number): string {
  const number = index + 1;
  return number + (SUFFIXES[plurals.select(number)] ?? "th");
}

const plurals = new Intl.PluralRules("en-GB", { type: "ordinal" });
const SUFFIXES: Partial<Record<Intl.LDMLPluralRule, string>> = { one: "st", two: "nd", few: "rd" };

/** `[::1]:6379` begins with a bracket, too. */
function readJsonList(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((each) => typeof each === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}
