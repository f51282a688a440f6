// Notices keys of the configuration file that changed and take a restart to apply: only `applications` is replaced at runtime.

/** Given the document at every look, answers the top-level keys that differ from the look before; none at the first. */
export function createRestartNotice(): (document: unknown) => string[] {
  let before: ReadonlyMap<string, string> | undefined;
  return (document) => {
    const after = textsOf(document);
    const keys = before === undefined ? [] : [...new Set([...before.keys(), ...after.keys()])].filter((key) => before?.get(key) !== after.get(key));
    before = after;
    return keys.sort();
  };
}

function textsOf(document: unknown): Map<string, string> {
  const entries = typeof document === "object" && document !== null ? Object.entries(document) : [];
  return new Map(entries.filter(([key]) => key !== "applications").map(([key, value]) => [key, JSON.stringify(value)]));
}
