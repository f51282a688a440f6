// The internal listener: health, metrics and figures. Holds no secret; meant for the loopback interface or a pod's network.
import fastify, { type FastifyInstance } from "fastify";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { httpServerOptions } from "./server-options.ts";

/** One thing that readiness looks at. */
export interface ReadyCheck {
  readonly name: string;
  readonly ok: boolean;
  /** A few words; never an address with credentials. */
  readonly detail: string;
  /** Whether a failure makes the node unready; others are only shown. */
  readonly gates: boolean;
}

export interface ReadyState {
  readonly ready: boolean;
  readonly checks: readonly ReadyCheck[];
}

export interface InternalOptions {
  metrics: Pick<Metrics, "registry">;
  log: Log;
  readiness: () => ReadyState;
  /** Connections per application and in all. */
  stats: () => object;
  /** Of the applications in force. */
  revision: () => string;
}

const TEXT = "text/plain; charset=utf-8";
const TIMEOUTS = { headersTimeoutMs: 5_000, requestTimeoutMs: 10_000 };

/** Builds the internal API; whoever made it listens and closes. */
export function createInternal({ metrics, log, readiness, stats, revision }: InternalOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    http: httpServerOptions(TIMEOUTS),
    requestTimeout: TIMEOUTS.requestTimeoutMs,
    forceCloseConnections: true,
    bodyLimit: 1_024,
  });
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
    done();
  });
  // Alive means that the event loop answers: a broker's outage must not restart anything.
  app.get("/livez", (_request, reply) => reply.type(TEXT).send("ok\n"));
  app.get<{ Querystring: Record<string, string> }>("/readyz", (request, reply) => {
    const state = readiness();
    const verbose = request.query["verbose"] !== undefined;
    return reply
      .code(state.ready ? 200 : 503)
      .type(TEXT)
      .send(verbose ? listChecks(state) : summary(state));
  });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()));
  app.get("/-/config", async () => ({ revision: revision() }));
  app.get("/-/stats", async () => stats());
  app.setNotFoundHandler((_request, reply) => reply.code(404).type(TEXT).send("not found\n"));
  app.setErrorHandler((error, request, reply) => {
    log.error({ event: "internal request failed", route: request.routeOptions.url, err: error });
    return reply.code(500).type(TEXT).send("internal error\n");
  });
  return app;
}

function summary({ ready, checks }: ReadyState): string {
  if (ready) return "ok\n";
  const reasons = checks.filter(({ ok, gates }) => !ok && gates).map(({ name, detail }) => `${name}: ${detail}`);
  return `not ready: ${reasons.join("; ")}\n`;
}

/** One line for each check, as Kubernetes' own components show them. */
function listChecks({ ready, checks }: ReadyState): string {
  const lines = checks.map(({ name, ok, detail, gates }) => (ok ? `[+]${name} ok` : `[-]${name}: ${detail}${gates ? "" : " (does not gate)"}`));
  return [...lines, `readyz check ${ready ? "passed" : "failed"}`, ""].join("\n");
}
