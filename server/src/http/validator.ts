// Checks requests against the schemas of openapi.yaml, and changes nothing: no coercion, no defaults, nothing removed.
import { Ajv, type ValidateFunction } from "ajv";
import type { FastifySchemaCompiler } from "fastify";
import type { XlveinError } from "../errors.ts";
import { invalidRequest } from "./validation.ts";

/** Members of a request up to which every fault is told; of a larger one only the first, since half a million faults take a second to list. */
const MAX_THOROUGH = 1_000;

/** Returns what is wrong with a value that stands at `within` of the body, or undefined. */
export type Check = (value: unknown, within: string) => XlveinError | undefined;

/** Compiles the schemas of the routes for fastify. */
export function createValidatorCompiler(): FastifySchemaCompiler<object> {
  const [quick, thorough] = [createAjv(false), createAjv(true)];
  return ({ schema, httpPart = "body" }) => {
    const check = createThoroughCheck(quick.compile(schema), () => thorough.compile(schema), httpPart);
    return (value: unknown) => {
      const error = check(value, "");
      return error ? { error } : true;
    };
  };
}

/** Compiles the check of one named schema of the description; it stops at the first fault. */
export function compileCheck(components: object, name: string): Check {
  const validate = createAjv(false).compile({ components, $ref: `#/components/schemas/${name}` });
  return (value, within) => (validate(value) ? undefined : invalidRequest(validate.errors ?? [], "body", within));
}

/** Compiles the check of a request's body; it tells what the routes of fastify tell. */
export function compileBodyCheck(components: object, schema: object): Check {
  const compile = (allErrors: boolean) => createAjv(allErrors).compile({ components, ...schema });
  return createThoroughCheck(compile(false), () => compile(true), "body");
}

/** Looks for every fault only once there is one. */
function createThoroughCheck(quick: ValidateFunction, compileThorough: () => ValidateFunction, part: string): Check {
  let thorough: ValidateFunction | undefined;
  return (value, within) => {
    if (quick(value)) return undefined;
    if (isLarge(value)) return invalidRequest(quick.errors ?? [], part, within);
    thorough ??= compileThorough();
    thorough(value);
    return invalidRequest(thorough.errors ?? [], part, within);
  };
}

function createAjv(allErrors: boolean): Ajv {
  return new Ajv({ allErrors, allowUnionTypes: true, addUsedSchema: false, keywords: ["components", "x-enum-varnames", "x-enum-descriptions"] });
}

/** Looks two levels down, where faults can be many; `data` may hold anything. */
function isLarge(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  let members = 0;
  for (const member of Object.values(value)) members += 1 + (Array.isArray(member) ? member.length : 0);
  return members > MAX_THOROUGH;
}
