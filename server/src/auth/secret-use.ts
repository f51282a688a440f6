// Tells, per secret, when it last proved something: an operator sees when an old one may go.
import type { Metrics } from "../metrics/metrics.ts";

/** Notes that a secret of an application has proved a token or a sign. */
export type NoteSecretUse = (app: string, secretId: string) => void;

/** Sets the gauge at most once a second for each secret: the clock's second is all it shows. Both names come from configuration. */
export function createSecretUse(metrics: Metrics, now: () => number): NoteSecretUse {
  const noted = new Map<string, Map<string, number>>();
  return (app, secretId) => {
    const second = Math.floor(now() / 1_000);
    const ofApp = noted.get(app) ?? new Map<string, number>();
    if (ofApp.get(secretId) === second) return;
    noted.set(app, ofApp.set(secretId, second));
    metrics.secretLastUsed.set({ app, secret_id: secretId }, second);
  };
}
