// Counts pushes by outcome and measures how long they take.
import type { FastifyInstance } from "fastify";
import { type Metrics, OTHER_APP } from "../metrics/metrics.ts";
import type { PushRequest } from "./push-request.ts";
import type { Operation } from "./spec.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The application label of this push: a configured key, or `other`. */
    pushApp: string;
    /** How many messages ended with which HTTP status; one with the answer's own when absent. */
    pushOutcomes: ReadonlyMap<number, number> | undefined;
  }
}

export interface PushMeter {
  /** Counts a push that is about to be answered: refusals and faults too. */
  count(request: Pick<PushRequest, "pushApp" | "pushOutcomes">, status: number, elapsedMs: number): void;
  /** Prepares the requests of an instance, and returns what makes an operation counted there. */
  attach(app: FastifyInstance): (operation: Operation) => Operation;
}

export function createPushMeter({ pushRequests, pushDuration }: Metrics): PushMeter {
  function count({ pushApp, pushOutcomes }: Pick<PushRequest, "pushApp" | "pushOutcomes">, status: number, elapsedMs: number): void {
    if (pushOutcomes) for (const [code, messages] of pushOutcomes) pushRequests.inc({ app: pushApp, code: String(code) }, messages);
    else pushRequests.inc({ app: pushApp, code: String(status) });
    pushDuration.observe(elapsedMs / 1_000);
  }

  return {
    count,
    attach(app) {
      app.decorateRequest("pushApp", OTHER_APP);
      app.decorateRequest("pushOutcomes", undefined);
      return (operation) => ({
        ...operation,
        onSend: (request, reply, payload, done) => {
          count(request, reply.statusCode, reply.elapsedTime);
          done(null, payload);
        },
      });
    },
  };
}

/** Counts a classic push, which always answers 200, by the status that it stands for. */
export function setOutcome(request: Pick<PushRequest, "pushOutcomes">, status: number): void {
  request.pushOutcomes = new Map([[status, 1]]);
}
