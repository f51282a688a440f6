// Numbers in a query: text that spells one becomes one before the schema looks at it; the checks change nothing by themselves.
import type { FastifyReply, FastifyRequest, preValidationHookHandler } from "fastify";

const WHOLE = /^(?:0|[1-9]\d{0,15})$/;

/** Reads the parameters named as whole numbers. What spells none stays text, which the schema refuses. */
export function readNumbers(...names: readonly string[]): preValidationHookHandler {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
    const query = request.query as Record<string, unknown>;
    for (const name of names) {
      const text = query[name];
      if (typeof text === "string" && WHOLE.test(text)) query[name] = Number(text);
    }
    done();
  };
}
