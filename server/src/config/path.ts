// Where a value stands in a document, and how a finding names the place.

/** Keys and list positions from the document's root. */
export type Path = readonly (string | number)[];

/** `applications[1].limits.max_connections`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}
