// Tells of an application by its status and by events.
import { randomBytes } from "node:crypto";
import type { Log } from "../log.ts";
import { type Application, type ApplicationStatus, keyOf } from "./application.ts";
import { isStatus, type Kube } from "./kube.ts";
import type { News } from "./plan.ts";
import { composeStatus, isSameStatus, type Standing, statusNews } from "./status.ts";

export interface StatusWriterOptions {
  readonly kube: Pick<Kube, "applyStatus" | "createEvent">;
  /** Who reports: the pod. */
  readonly instance: string;
  readonly log: Log;
  readonly now: () => number;
}

export interface StatusWriter {
  /** Writes the status if it says something new, and an event for each piece of news. Rejects with a KubeError. */
  write(standing: Standing, news: readonly News[]): Promise<ApplicationStatus>;
  /** The last one written; the API server's own may be on its way. */
  last(uid: string): ApplicationStatus | undefined;
  forget(uid: string): void;
}

/** Longest note of an event. */
const MAX_NOTE = 1_024;

export function createStatusWriter({ kube, instance, log, now }: StatusWriterOptions): StatusWriter {
  const written = new Map<string, ApplicationStatus>();

  /** Events are told once and not again: one that is lost is in the log. */
  async function tell(app: Application, { type, reason, note }: News): Promise<void> {
    log.info({ event: "application", application: keyOf(app), reason, message: note });
    const { uid, resourceVersion, namespace } = app;
    await kube
      .createEvent({
        name: `${app.name.slice(0, 200)}.${randomBytes(8).toString("hex")}`,
        namespace,
        regarding: { name: app.name, uid, resourceVersion },
        ...{ type, reason, note: note.slice(0, MAX_NOTE), action: "Reconcile", instance },
        timeMs: now(),
      })
      .catch((error: unknown) => log.warn({ event: "event not written", application: keyOf(app), message: (error as Error).message }));
  }

  return {
    async write(standing, news) {
      const { app } = standing;
      const before = written.get(app.uid) ?? app.status;
      const status = composeStatus(standing, before, now());
      for (const each of [...news, ...statusNews(before, status)]) await tell(app, each);
      if (!isSameStatus(status, app.status)) {
        await kube.applyStatus(app, status).catch((error: unknown) => {
          // Deleted meanwhile, or another one by that name.
          if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
        });
      }
      written.set(app.uid, status);
      return status;
    },
    last: (uid) => written.get(uid),
    forget: (uid) => void written.delete(uid),
  };
}
