// Request bodies: decoded strictly, and kept as text so that a message's `data` passes exactly as it was written.
import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ErrorCode, XlveinError } from "../errors.ts";
import { findSyntaxError } from "../protocol/scan.ts";
import { invalidFields } from "./validation.ts";

/** Most fields of a form. */
const MAX_FORM_FIELDS = 100;

declare module "fastify" {
  interface FastifyRequest {
    /** The JSON body as it arrived; "" without one. */
    bodyText: string;
  }
  interface FastifyContextConfig {
    /** An empty JSON body stands for `{}`. */
    bodyOptional?: boolean;
  }
}

/** The type of forms. */
export const FORM = "application/x-www-form-urlencoded";

/** Takes JSON and form bodies, and no other type. */
export function takeBodies(app: FastifyInstance): void {
  app.decorateRequest("bodyText", "");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (request: FastifyRequest, body: Buffer) => {
    const text = decode(request.headers, body);
    request.bodyText = text === "" && request.routeOptions.config.bodyOptional ? "{}" : text;
    return parseJson(request.bodyText);
  });
  app.addContentTypeParser(FORM, { parseAs: "buffer" }, async (request: FastifyRequest, body: Buffer) => parseForm(decode(request.headers, body)));
}

/** Refuses forms on a route that takes JSON only: they would pass without a schema. */
export function refuseForms(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  if (request.mediaType === FORM) throw new XlveinError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "header content-type: only application/json is taken here");
  done();
}

/** Parses a JSON text; an empty one is no body. Throws BAD_REQUEST with the position of the fault, and shows nothing of the text. */
export function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new XlveinError(ErrorCode.BAD_REQUEST, `body is not valid JSON: fault at position ${findSyntaxError(text)}`);
  }
}

/** Parses an `application/x-www-form-urlencoded` text (WHATWG URL, section 5.1), strictly. Throws BAD_REQUEST for a repeated field or bad percent-encoding. */
export function parseForm(text: string): Record<string, string> {
  const pairs = text.split("&", MAX_FORM_FIELDS + 1);
  if (pairs.length > MAX_FORM_FIELDS) throw new XlveinError(ErrorCode.BAD_REQUEST, `body has more than ${MAX_FORM_FIELDS} fields`);
  const fields = new Map<string, string>();
  for (const pair of pairs) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decodeField(at < 0 ? pair : pair.slice(0, at), "body", "holds a name that");
    const field = `body.${name.slice(0, 64)}`;
    if (fields.has(name)) throw invalidFields([{ field, message: "is given more than once" }]);
    fields.set(name, at < 0 ? "" : decodeField(pair.slice(at + 1), field));
  }
  return Object.fromEntries(fields);
}

function decodeField(text: string, field: string, subject?: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    const message = "is not valid percent-encoded UTF-8";
    throw invalidFields([{ field, message: subject === undefined ? message : `${subject} ${message}` }]);
  }
}

/** The text of a body. Throws UNSUPPORTED_MEDIA_TYPE when it is compressed, BAD_REQUEST when it is not UTF-8. */
export function decode(headers: IncomingHttpHeaders, body: Buffer): string {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new XlveinError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "header content-encoding: bodies are taken plain only");
  if (isUtf8(body)) return body.toString("utf8");
  throw new XlveinError(ErrorCode.BAD_REQUEST, "body is not valid UTF-8");
}
