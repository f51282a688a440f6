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
    const first = quick.compile(schema);
    let all: ValidateFunction | undefined;
    return (value: unknown) => {
      if (first(value)) return true;
      if (isLarge(value)) return { error: invalidRequest(first.errors ?? [], httpPart) };
      all ??= thorough.compile(schema);
      all(value);
      return { error: invalidRequest(all.errors ?? [], httpPart) };
    };
  };
}

/** Compiles the check of one named schema of the description; it stops at the first fault. */
export function compileCheck(components: object, name: string): Check {
  const ajv = createAjv(false).addSchema({ components }, "openapi");
  const validate = ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
  return (value, within) => (validate(value) ? undefined : invalidRequest(validate.errors ?? [], "body", within));
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
