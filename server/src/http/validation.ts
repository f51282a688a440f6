// What a schema found wrong with a request, said by field: `body.accounts[1] must be a string`.
import type { ErrorObject } from "ajv";
import { ErrorCode, type FieldError, XlveinError } from "../errors.ts";

/** Most faults told of one request. */
const MAX_FIELDS = 20;
/** Longest name of a caller's own that is repeated. */
const MAX_NAME = 64;

const TYPES: Readonly<Record<string, string>> = {
  array: "an array",
  object: "an object",
  string: "a string",
  integer: "an integer",
  number: "a number",
  boolean: "true or false",
};
/** fastify's word for a part of a request → ours. */
const PARTS: Readonly<Record<string, string>> = { params: "path", querystring: "query", headers: "header", body: "body" };

/**
 * The error for a request that does not fit its schema; its message names the first faults, `fields` up to 20.
 * @param within where in that part the schema applies: `.messages[3]`
 */
export function invalidRequest(faults: readonly ErrorObject[], part: string, within = ""): XlveinError {
  return invalidFields(faults.slice(0, MAX_FIELDS).map((fault) => toFieldError(fault, (PARTS[part] ?? part) + within)));
}

/** The error for fields found wrong by hand. */
export function invalidFields(fields: readonly FieldError[], code: ErrorCode = ErrorCode.BAD_REQUEST): XlveinError {
  const said = fields.slice(0, 3).map(({ field, message }) => `${field} ${message}`);
  const more = fields.length > said.length ? ` (and ${fields.length - said.length} more)` : "";
  return new XlveinError(code, said.join("; ") + more, { fields });
}

function toFieldError({ keyword, instancePath, params, message }: ErrorObject, part: string): FieldError {
  const parent = part + toPath(instancePath);
  if (keyword === "required") return { field: join(parent, params["missingProperty"]), message: "is missing" };
  if (keyword === "additionalProperties") return { field: join(parent, params["additionalProperty"]), message: "is not known" };
  if (keyword === "type") return { field: parent, message: `must be ${typeNames(params["type"])}` };
  if ((keyword === "minLength" || keyword === "minItems") && params["limit"] === 1) return { field: parent, message: "must not be empty" };
  if (keyword === "const") return { field: parent, message: `must be ${JSON.stringify(params["allowedValue"])}` };
  if (keyword === "uniqueItems") return { field: `${parent}[${Math.max(params["i"], params["j"])}]`, message: "repeats another item" };
  return { field: parent, message: (message ?? "is invalid").replace("must NOT have", "must not have") };
}

/** `/accounts/1` → `.accounts[1]`. */
function toPath(pointer: string): string {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step.replaceAll("~1", "/").replaceAll("~0", "~")}`))
    .join("");
}

function join(parent: string, name: unknown): string {
  return `${parent}.${String(name).slice(0, MAX_NAME)}`;
}

function typeNames(type: unknown): string {
  const names = String(type).split(",");
  return names.map((name) => TYPES[name] ?? name).join(" or ");
}
