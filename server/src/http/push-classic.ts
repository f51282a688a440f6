// POST /api/v1/im/push: the push of the Go service, as a list of steps.
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { verifyApiToken } from "../auth/api-token.ts";
import { verifyInVain } from "../auth/jwt.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";
import { type SignedFields, verifySign, verifySignForUnknownApp } from "../auth/sign.ts";
import type { NodeLimits } from "../config/config.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import type { PushRates } from "../limits/push-rates.ts";
import { Event } from "../protocol/message.ts";
import { checkObject, scanObject } from "../protocol/scan.ts";
import { accountTarget } from "../protocol/target.ts";
import type { Publish } from "../publish/publish.ts";
import type { CallerOptions } from "./caller.ts";
import { ACCEPTED, type ClassicReply } from "./classic-reply.ts";
import { checkSize, checkUnicode } from "./push-data.ts";
import type { PushRequest } from "./push-request.ts";
import { invalidFields } from "./validation.ts";

type Body = components["schemas"]["ClassicPushJson"];

interface Fields extends SignedFields {
  /** "" when absent. */
  readonly sign: string;
}

export interface ClassicPushOptions extends CallerOptions {
  apps: AppRegistry;
  publish: Publish;
  rates: PushRates;
  limits: NodeLimits;
  noteSecretUse: NoteSecretUse;
}

/** The handler; what it throws becomes a classic answer. */
export function createClassicPush({ apps, publish, rates, limits, noteSecretUse, tokenBytes, verified, now, onAuthenticated }: ClassicPushOptions) {
  return async (request: PushRequest): Promise<ClassicReply> => {
    const fields = readFields(request);
    const { authorization } = request.headers;
    const app = findApp(fields, authorization);
    request.pushApp = app.key;
    authenticate(app, fields, authorization);
    onAuthenticated(request.raw.socket);
    rates.take(app);
    checkMessage(app, fields.message);
    await push(app, fields);
    return ACCEPTED;
  };

  function findApp(fields: Fields, authorization: string | undefined): App {
    const app = apps.get(fields.app_key);
    if (app?.enabled) return app;
    if (app) throw new XlveinError(ErrorCode.APP_DISABLED, "body.app_key: the application is disabled");
    if (fields.sign === "" && authorization !== undefined) verifyInVain(authorization.replace(/^Bearer +/i, ""), tokenBytes);
    return verifySignForUnknownApp(fields, fields.sign);
  }

  /** A proof that is given must hold, where its kind is accepted; without one only `open` lets pass. */
  function authenticate(app: App, fields: Fields, authorization: string | undefined): void {
    if (fields.sign !== "" && app.pushAuth.has("sign")) return noteSecretUse(app.key, verifySign(app, fields, fields.sign, now()));
    if (authorization !== undefined && app.pushAuth.has("bearer")) return authenticateBearer(app, authorization);
    if (app.pushAuth.has("open")) return;
    throw unproven(app, fields);
  }

  function authenticateBearer(app: App, authorization: string): void {
    const grant = verifyApiToken(apps, authorization, { nowMs: now(), maxBytes: tokenBytes, verified });
    if (grant.app.key !== app.key) throw new XlveinError(ErrorCode.TOKEN_INVALID, "token: iss must equal body.app_key");
    noteSecretUse(app.key, grant.secretId);
  }

  function checkMessage(app: App, message: string): void {
    checkSize(message, "body.message", app, limits);
    checkObject(message, limits.jsonDepth, "body.message");
    checkUnicode(message, "body.message");
  }

  function push(app: App, { send_to, message, nonce }: Fields): ReturnType<Publish> {
    const key = { kind: "nonce", value: nonce, ttlMs: app.nonceTtlMs, onOtherBody: app.nonceReuse } as const;
    return publish(app.key, [accountTarget(app.key, send_to)], { event: Event.SYSTEM, data: message }, key);
  }
}

/** The fields of a form or of a JSON body that its schema has passed; `message` as text, as it stands in the body. */
function readFields(request: PushRequest): Fields {
  if (request.body === undefined) throw new XlveinError(ErrorCode.BAD_REQUEST, "body is missing");
  const { app_key, send_to, message, nonce, sign = "" } = request.body as Body;
  const fields = { app_key, send_to, nonce, sign, message: typeof message === "string" ? message : textOf(request.bodyText, "message") };
  for (const name of ["app_key", "send_to", "nonce"] as const) checkUnicode(fields[name], `body.${name}`);
  return fields;
}

function textOf(body: string, name: string): string {
  const span = scanObject(body, Number.POSITIVE_INFINITY, "body").get(name);
  if (!span) throw new Error(`the schema let a body without ${name} pass`);
  return body.slice(span.start, span.end);
}

/** Says what this application would have taken. */
function unproven({ pushAuth }: App, { sign }: Fields): XlveinError {
  const taken = [...pushAuth].join(" or ");
  if (sign !== "") return new XlveinError(ErrorCode.NOT_AUTHORISED, `body.sign is not in the application's push_auth, which takes ${taken}`);
  if (pushAuth.has("sign")) return invalidFields([{ field: "body.sign", message: `is missing; the application's push_auth takes ${taken}` }]);
  return new XlveinError(ErrorCode.TOKEN_INVALID, "token: the Authorization header is missing; the application's push_auth takes bearer");
}
