// The public HTTP side: routes of openapi.yaml, the assets, and what holds for every request.
import type { Socket } from "node:net";
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
  type onRequestHookHandler,
} from "fastify";
import type { AppRegistry } from "../apps/registry.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";
import { createVerifiedTokens } from "../auth/verified-tokens.ts";
import type { NodeLimits } from "../config/config.ts";
import type { Control } from "../control/control.ts";
import type { Membership } from "../control/membership.ts";
import { ErrorCode } from "../errors.ts";
import { createPushRates } from "../limits/push-rates.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { newMsgId } from "../protocol/message.ts";
import { accountTarget, roomTarget } from "../protocol/target.ts";
import type { Publish } from "../publish/publish.ts";
import type { Streams } from "../recover/streams.ts";
import { accountOf, createConnections, createDisconnect } from "./accounts.ts";
import { commonHeaders, sendAnswer } from "./answer.ts";
import { readAssets, serveAssets } from "./assets.ts";
import { refuseForms, takeBodies } from "./body.ts";
import { createAuthenticate } from "./caller.ts";
import { classicErrorAnswer } from "./classic-reply.ts";
import { answerClientError } from "./client-error.ts";
import { createFastPush, type PushDoor } from "./fast-push.ts";
import { createNameFault, type NameFault } from "./faults.ts";
import { createHistory } from "./history.ts";
import { createAccountRooms, createChangeMembers, createRoomMembers } from "./members.ts";
import { createPush } from "./messages.ts";
import { createPushMany } from "./messages-batch.ts";
import { watchPaths } from "./paths.ts";
import { sendProblem } from "./problem.ts";
import { createClassicPush } from "./push-classic.ts";
import { createPushDoors } from "./push-doors.ts";
import { createPushMeter, type PushMeter, setOutcome } from "./push-meter.ts";
import type { PushRequest } from "./push-request.ts";
import { readNumbers } from "./query.ts";
import { roomOf } from "./room-name.ts";
import { addOperations, readSpec, withLooseBatch } from "./spec.ts";
import { compileCheck, createValidatorCompiler } from "./validator.ts";

export interface ApiOptions {
  /** Makes the server that the API answers on; `httpServerOptions` are meant for it. */
  serverFactory: FastifyServerFactory;
  apps: AppRegistry;
  publish: Publish;
  control: Control;
  membership: Pick<Membership, "add" | "remove" | "members" | "roomsOf">;
  streams: Pick<Streams, "read">;
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
  const spec = withLooseBatch(readSpec(String(assets.find(({ path }) => path === "/openapi.yaml")?.body)));
  const doors = new Map<string, PushDoor>();
  const meter = createPushMeter(options.metrics);
  const nameFault = createNameFault(options.log);
  const answerError = createErrorAnswer(nameFault);
  const app = createInstance(options, answerError, { doors, meter });
  addEveryRequest(app, options, answerError);
  serveAssets(app, assets);
  app.get("/ws/connect", answerPlainConnect);

  const rates = createPushRates(options.apps, options.now);
  const metered = meter.attach(app);
  const shared = { ...options, rates, tokenBytes: options.limits.tokenBytes, verified: createVerifiedTokens(options.apps) };
  const authenticate = createAuthenticate(shared);
  const onRequest = [hook(authenticate), refuseForms];
  const history = { onRequest, preValidation: readNumbers("before", "limit") };
  const [push, classicPush] = [createPush(shared), createClassicPush(shared)];
  const pushMany = createPushMany({ ...shared, checkPush: compileCheck(spec.components, "Push") });

  const errorHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void answerError(error, request, reply, "classic");
  await addOperations(app, spec, {
    classicPush: metered({ handler: classicPush, errorHandler }),
    push: metered({ onRequest, handler: push }),
    pushMany: metered({ onRequest, handler: pushMany }),
    connections: { onRequest, handler: createConnections(shared) },
    disconnect: { onRequest, config: { bodyOptional: true }, handler: createDisconnect(shared) },
    accountRooms: { onRequest, handler: createAccountRooms(shared) },
    accountHistory: { ...history, handler: createHistory(shared, (app, request) => accountTarget(app, accountOf(request))) },
    roomMembers: { onRequest, preValidation: readNumbers("limit"), handler: createRoomMembers(shared) },
    addRoomMembers: { onRequest, handler: createChangeMembers(shared, "add") },
    removeRoomMembers: { onRequest, handler: createChangeMembers(shared, "remove") },
    roomHistory: { ...history, handler: createHistory(shared, (app, request) => roomTarget(app, roomOf(request))) },
  });
  const { jsonDepth } = options.limits;
  for (const [path, door] of createPushDoors({ spec, authenticate, push, pushMany, classicPush, nameFault, jsonDepth })) doors.set(path, door);
  return app;
}

function hook(check: (request: PushRequest) => void): onRequestHookHandler {
  return (request, _reply, done) => {
    check(request);
    done();
  };
}

type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply, style?: "problem" | "classic") => FastifyReply;

/** `short` is what pushes in the usual form meet instead of the framework; its doors may be added until the server listens. */
function createInstance(options: ApiOptions, answerError: AnswerError, short: { doors: ReadonlyMap<string, PushDoor>; meter: PushMeter }): FastifyInstance {
  const { serverFactory, limits, log, draining } = options;
  const onAnswered = ({ id, raw }: PushRequest, status: number, ms: number) => {
    if (log.isLevelEnabled("debug")) logRequest(log, { method: "POST", route: raw.url, status, ms, request_id: id });
  };
  const fastPush = createFastPush({ ...short, bodyBytes: limits.bodyBytes, newRequestId: newMsgId, draining, onAnswered });
  return fastify({
    serverFactory: (handler, serverOptions) => serverFactory(fastPush(handler), serverOptions),
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
    reply.headers(commonHeaders(request.id));
    if (draining()) reply.header("connection", "close");
    if (!request.is404) return done();
    const { error, allow } = missed(request.method, request.url);
    if (allow !== "") reply.header("allow", allow);
    done(error);
  });
  app.addHook("onResponse", (request, reply, done) => {
    logRequest(log, { method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime, request_id: request.id });
    done();
  });
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
}

/** The route, not the URL: that holds account names. */
function logRequest(log: Log, fields: { method: string; route: string | undefined; status: number; ms: number; request_id: string }): void {
  log.debug({ event: "request", ...fields });
}

function createErrorAnswer(nameFault: NameFault): AnswerError {
  return (cause, request, reply, style = "problem") => {
    const error = nameFault(cause, request.routeOptions.url, request.id);
    // Fastify closes after a body it did not read to its end; the caller would often see a reset instead of the answer. requestTimeout bounds the rest.
    if (error.code === ErrorCode.PAYLOAD_TOO_LARGE) reply.removeHeader("connection");
    if (style === "problem") return sendProblem(request, reply, error);
    setOutcome(request, error.status);
    return sendAnswer(reply, classicErrorAnswer(error));
  };
}

/** A WebSocket handshake never comes here: it raises `upgrade`. */
function answerPlainConnect(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body = { error: ErrorCode.BAD_REQUEST, message: "this path takes WebSocket handshakes: send Upgrade: websocket" };
  return reply.code(400).header("connection", "close").send(body);
}
