// The public HTTP side: routes of openapi.yaml, the assets, and what holds for every request.
import type { Socket } from "node:net";
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerFactory } from "fastify";
import type { AppRegistry } from "../apps/registry.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";
import type { NodeLimits } from "../config/config.ts";
import type { Control } from "../control/control.ts";
import { ErrorCode } from "../errors.ts";
import { createPushRates } from "../limits/push-rates.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { newMsgId } from "../protocol/message.ts";
import type { Publish } from "../publish/publish.ts";
import { createConnections, createDisconnect } from "./accounts.ts";
import { readAssets, serveAssets } from "./assets.ts";
import { refuseForms, takeBodies } from "./body.ts";
import { createAuthenticate } from "./caller.ts";
import { sendClassicError } from "./classic-reply.ts";
import { answerClientError } from "./client-error.ts";
import { toXlveinError } from "./faults.ts";
import { createPush } from "./messages.ts";
import { createPushMany } from "./messages-batch.ts";
import { watchPaths } from "./paths.ts";
import { sendProblem } from "./problem.ts";
import { createClassicPush } from "./push-classic.ts";
import { createPushMeter, setOutcome } from "./push-meter.ts";
import { addOperations, readSpec, withLooseBatch } from "./spec.ts";
import { compileCheck, createValidatorCompiler } from "./validator.ts";

export interface ApiOptions {
  /** Makes the server that the API answers on; `httpServerOptions` are meant for it. */
  serverFactory: FastifyServerFactory;
  apps: AppRegistry;
  publish: Publish;
  control: Control;
  metrics: Metrics;
  log: Log;
  limits: NodeLimits;
  /** The folder of the built files: `openapi.yaml`, `sdk.js`, `console/`, `docs/`. */
  assetsDir: string;
  /** Serve the console at `/console/`. */
  console: boolean;
  /** Serve Swagger UI at `/docs/`. */
  docs: boolean;
  noteSecretUse: NoteSecretUse;
  now: () => number;
  /** While true every answer ends its connection, so that callers move to another node. */
  draining: () => boolean;
  /** Called whenever a request has authenticated. */
  onAuthenticated: (socket: Socket) => void;
}

/** Longest percent-encoded account in a path; the header limit comes first. */
const MAX_PARAM = 16_384;

/** Builds the API; it answers once its server listens. Rejects when a built file is missing. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const assets = readAssets(options.assetsDir, options);
  const spec = readSpec(String(assets.find(({ path }) => path === "/openapi.yaml")?.body));
  const app = createInstance(options);
  const answerError = createErrorAnswer(options.log);
  addEveryRequest(app, options, answerError);
  serveAssets(app, assets);
  app.get("/ws/connect", answerPlainConnect);

  const rates = createPushRates(options.apps, options.now);
  const meter = createPushMeter(app, options.metrics);
  const shared = { ...options, rates, tokenBytes: options.limits.tokenBytes };
  const onRequest = [createAuthenticate(shared), refuseForms];

  const errorHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void answerError(error, request, reply, "classic");
  await addOperations(app, withLooseBatch(spec), {
    classicPush: meter({ handler: createClassicPush(shared), errorHandler }),
    push: meter({ onRequest, handler: createPush(shared) }),
    pushMany: meter({ onRequest, handler: createPushMany({ ...shared, checkPush: compileCheck(spec.components, "Push") }) }),
    connections: { onRequest, handler: createConnections(shared) },
    disconnect: { onRequest, config: { bodyOptional: true }, handler: createDisconnect(shared) },
  });
  return app;
}

type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply, style?: "problem" | "classic") => FastifyReply;

function createInstance({ serverFactory, limits, log }: ApiOptions): FastifyInstance {
  const answerError = createErrorAnswer(log);
  return fastify({
    serverFactory,
    bodyLimit: limits.bodyBytes,
    routerOptions: { maxParamLength: MAX_PARAM },
    logger: false,
    genReqId: newMsgId,
    requestIdHeader: false,
    // Requests that arrive while the server closes are answered; the exchange says whether they can be taken.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply.header("x-request-id", request.id)),
  });
}

/** What holds for every request, whatever its path. */
function addEveryRequest(app: FastifyInstance, { draining, log }: ApiOptions, answerError: AnswerError): void {
  const missed = watchPaths(app);
  app.setValidatorCompiler(createValidatorCompiler());
  takeBodies(app);
  app.decorateRequest("caller", undefined);
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers({ "x-request-id": request.id, "x-content-type-options": "nosniff", "cache-control": "no-store" });
    if (draining()) reply.header("connection", "close");
    if (!request.is404) return done();
    const { error, allow } = missed(request.method, request.url);
    if (allow !== "") reply.header("allow", allow);
    done(error);
  });
  app.addHook("onResponse", (request, reply, done) => {
    // The route, not the URL: that holds account names.
    log.debug({
      event: "request",
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      ms: reply.elapsedTime,
      request_id: request.id,
    });
    done();
  });
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
}

function createErrorAnswer(log: Log): AnswerError {
  return (cause, request, reply, style = "problem") => {
    const error = toXlveinError(cause);
    if (error.code === ErrorCode.INTERNAL) log.error({ event: "request failed", route: request.routeOptions.url, request_id: request.id, err: cause });
    // Fastify closes after a body it did not read to its end; the caller would often see a reset instead of the answer. requestTimeout bounds the rest.
    if (error.code === ErrorCode.PAYLOAD_TOO_LARGE) reply.removeHeader("connection");
    if (style === "problem") return sendProblem(request, reply, error);
    setOutcome(request, error.status);
    return sendClassicError(reply, error);
  };
}

/** A WebSocket handshake never comes here: it raises `upgrade`. */
function answerPlainConnect(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body = { error: ErrorCode.BAD_REQUEST, message: "this path takes WebSocket handshakes: send Upgrade: websocket" };
  return reply.code(400).header("connection", "close").send(body);
}
