// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// A target: where a message goes, and what a node holds while one of its sockets wants it.

export interface Target {
  /** The application's key. */
  readonly app: string;
  readonly kind: "account";
  readonly name: string;
}

export function accountTarget(app: string, account: string): Target {
  return { app, kind: "account", name: account };
}

/** A text that no two targets share, whatever characters their names hold: every part but the last has its length in front. */
export function targetId({ app, kind, name }: Target): string {
  return `${app.length}:${app}${kind.length}:${kind}${name}`;
}
