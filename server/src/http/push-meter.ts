// Counts pushes by outcome and measures how long they take.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Metrics, OTHER_APP } from "../metrics/metrics.ts";
import type { Operation } from "./spec.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The application label of this push: a configured key, or `other`. */
    pushApp: string;
    /** How many messages ended with which HTTP status; one with the answer's own when absent. */
    pushOutcomes: ReadonlyMap<number, number> | undefined;
  }
}

/** Wraps the operation of a push door. */
export type MeterPush = (operation: Operation) => Operation;

/** Prepares the requests of an instance, and returns what makes an operation counted. Every way to answer passes: refusals and faults too. */
export function createPushMeter(app: FastifyInstance, metrics: Metrics): MeterPush {
  app.decorateRequest("pushApp", OTHER_APP);
  app.decorateRequest("pushOutcomes", undefined);

  function count({ pushApp, pushOutcomes }: FastifyRequest, status: number): void {
    if (!pushOutcomes) return metrics.pushRequests.inc({ app: pushApp, code: String(status) });
    for (const [code, messages] of pushOutcomes) metrics.pushRequests.inc({ app: pushApp, code: String(code) }, messages);
  }

  return (operation) => ({
    ...operation,
    onSend: (request, reply, payload, done) => {
      count(request, reply.statusCode);
      metrics.pushDuration.observe(reply.elapsedTime / 1_000);
      done(null, payload);
    },
  });
}

/** Counts a classic push, which always answers 200, by the status that it stands for. */
export function setOutcome(request: FastifyRequest, status: number): void {
  request.pushOutcomes = new Map([[status, 1]]);
}
