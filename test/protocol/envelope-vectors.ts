// The vectors of envelopes, read.
import { readFileSync } from "node:fs";
import type { Envelope, WireVersion } from "../../server/src/protocol/envelope.ts";
import type { EntryPosition } from "../../server/src/protocol/position.ts";
import type { Target } from "../../server/src/protocol/target.ts";

export interface EnvelopeVector {
  readonly name: string;
  readonly wire_version: WireVersion;
  readonly target: Target;
  readonly position: EntryPosition | undefined;
  readonly envelope: Envelope;
  readonly on_channel: string;
  readonly shared: string;
  /** Whether a node of the release before reads it; it does not know the members that it `ignores`. */
  readonly previous: boolean;
  readonly ignores?: readonly string[];
}

const file = new URL("../vectors/envelope.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8")) as { vectors: readonly Omit<EnvelopeVector, "position">[] };

export const envelopeVectors: readonly EnvelopeVector[] = vectors.map((vector) => ({ position: undefined, ...vector }));
