// A target: where a message goes, and what a node holds while one of its sockets wants it.

export interface Target {
  /** The application's key. */
  readonly app: string;
  readonly kind: "account" | "room" | "app";
  /** Of the account or the room; "" for the whole application. */
  readonly name: string;
}

export function accountTarget(app: string, account: string): Target {
  return { app, kind: "account", name: account };
}

export function roomTarget(app: string, room: string): Target {
  return { app, kind: "room", name: room };
}

/** Everybody who is connected to the application. */
export function appTarget(app: string): Target {
  return { app, kind: "app", name: "" };
}

/** Every node that wants to hear of the others. No application has an empty key, so that no message goes there. */
export const NODES: Target = { app: "", kind: "app", name: "" };

let last: Target = NODES;
let lastId = idOf(NODES);

/** A text that no two targets share, whatever characters their names hold: every part but the last has its length in front. */
export function targetId(target: Target): string {
  // Store, exchange and order ask for the same one in a row.
  if (target !== last) [last, lastId] = [target, idOf(target)];
  return lastId;
}

function idOf({ app, kind, name }: Target): string {
  return `${app.length}:${app}${kind.length}:${kind}${name}`;
}
