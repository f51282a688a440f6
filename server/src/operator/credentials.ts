// The life of an application's secrets: made, rotated in two phases, kept for an overlap, forgotten. Plans only; others read and write.
import type { ApplicationSpec } from "./application.ts";
import { parseSpan } from "./duration.ts";

/** A secret with the name under which metrics show it. */
export interface NamedSecret {
  readonly id: string;
  readonly secret: string;
}

/** Still accepted, until its time. */
export interface EndingSecret extends NamedSecret {
  readonly notAfterMs: number;
}

/** All secrets of an application. */
export interface Credentials {
  /** What the application's Secret says. */
  readonly active: NamedSecret;
  /** Told to the servers and to nobody else: backends learn it when every server accepts it. */
  readonly pending?: NamedSecret;
  readonly previous: readonly EndingSecret[];
  /** Since when the active one is; milliseconds since 1970. */
  readonly rotatedMs: number;
  /** `rotation.trigger` that the last rotation began with. */
  readonly trigger: string;
}

/** How generated secrets are replaced. */
export interface Rotation {
  /** `undefined`: only the trigger rotates. */
  readonly intervalMs: number | undefined;
  readonly overlapMs: number;
  readonly trigger: string;
}

export interface AdvanceInput {
  readonly rotation: Rotation | undefined;
  readonly nowMs: number;
  /** The application's Secret holds this `app_secret`. */
  readonly told: string | undefined;
  readonly generate: () => NamedSecret;
}

const DEFAULT_OVERLAP_MS = 86_400_000;
/** Rotations in quick succession: the oldest are forgotten, at most so many are still accepted. */
const MAX_PREVIOUS = 4;

/** What a spec says of rotation; `undefined` when nothing. Overlap: half the interval unless set, 24 h without one. */
export function rotationOf(spec: ApplicationSpec): Rotation | undefined {
  const rotation = spec.credentials?.rotation;
  if (!rotation) return undefined;
  const intervalMs = rotation.interval === undefined ? undefined : parseSpan(rotation.interval);
  const overlapMs = rotation.overlap === undefined ? (intervalMs ?? DEFAULT_OVERLAP_MS * 2) / 2 : parseSpan(rotation.overlap);
  return { intervalMs, overlapMs, trigger: rotation.trigger ?? "" };
}

/** The first credentials of an application whose secret is generated, or was found in its Secret. */
export function firstCredentials(active: NamedSecret, nowMs: number, trigger: string): Credentials {
  return { active, previous: [], rotatedMs: nowMs, trigger };
}

/** The credentials that hold now: finishes a rotation that has been told, begins one that is due, forgets what has ended. */
export function advance(credentials: Credentials, { rotation, nowMs, told, generate }: AdvanceInput): Credentials {
  let { active, pending, previous, rotatedMs, trigger } = credentials;
  if (pending !== undefined && told === pending.secret) {
    const ending = { ...active, notAfterMs: nowMs + (rotation?.overlapMs ?? DEFAULT_OVERLAP_MS) };
    previous = [ending, ...previous].slice(0, MAX_PREVIOUS);
    active = pending;
    pending = undefined;
    rotatedMs = nowMs;
  }
  previous = previous.filter(({ notAfterMs }) => notAfterMs > nowMs);
  if (pending === undefined && isDue(rotation, { rotatedMs, trigger }, nowMs)) pending = generate();
  // A trigger that changes while a secret is on its way has what it wants; one that is taken away wants nothing.
  trigger = rotation?.trigger ?? "";
  return { active, previous, rotatedMs, trigger, ...(pending === undefined ? {} : { pending }) };
}

function isDue(rotation: Rotation | undefined, { rotatedMs, trigger }: Pick<Credentials, "rotatedMs" | "trigger">, nowMs: number): boolean {
  if (rotation === undefined) return false;
  const isTriggered = rotation.trigger !== "" && rotation.trigger !== trigger;
  return isTriggered || (rotation.intervalMs !== undefined && nowMs >= rotatedMs + rotation.intervalMs);
}

/** When the interval is over next, milliseconds since 1970. */
export function nextRotationMs(credentials: Credentials, rotation: Rotation | undefined): number | undefined {
  return rotation?.intervalMs === undefined ? undefined : credentials.rotatedMs + rotation.intervalMs;
}

/** When something changes by itself. */
export function nextChangeMs(credentials: Credentials, rotation: Rotation | undefined): number {
  return Math.min(
    ...credentials.previous.map(({ notAfterMs }) => notAfterMs),
    (credentials.pending === undefined ? nextRotationMs(credentials, rotation) : undefined) ?? Number.POSITIVE_INFINITY,
  );
}

/** As the server reads them: the active one first, one on its way next, then those that end. */
export function toSecrets({ active, pending, previous }: Credentials): readonly object[] {
  return [
    active,
    ...(pending === undefined ? [] : [pending]),
    ...previous.map(({ notAfterMs, ...secret }) => ({ ...secret, not_after: new Date(notAfterMs).toISOString() })),
  ];
}
