// What the linter cannot ask of openapi.yaml: examples, errors that are documented, and enums that name each value once.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { ROOT } from "./sources.ts";

interface Media {
  readonly example?: unknown;
  readonly examples?: unknown;
}

interface Part {
  readonly $ref?: string;
  readonly name?: string;
  readonly example?: unknown;
  readonly description?: string;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Part[];
  readonly requestBody?: Part;
  readonly responses: Readonly<Record<string, Part>>;
}

interface NamedEnum {
  readonly enum: readonly number[];
  readonly "x-enum-varnames": readonly string[];
  readonly "x-enum-descriptions": readonly string[];
}

const METHODS = ["get", "put", "post", "delete", "patch"];
/** Every operation that a bearer token opens can answer these. */
const BEARER_ERRORS = ["400", "401", "403", "404", "429", "500"];

const document = parse(readFileSync(join(ROOT, "openapi.yaml"), "utf8"), { merge: true });
const operations = Object.entries(document.paths as Record<string, Record<string, unknown>>).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method] !== undefined).map((method) => {
    const operation = item[method] as Operation;
    return { title: `${method} ${path}`, ...operation, parameters: [...((item.parameters as Part[]) ?? []), ...(operation.parameters ?? [])] };
  }),
);

/** Follows a reference inside the document. */
function resolve(part: Part): Part {
  if (part.$ref === undefined) return part;
  const found = part.$ref
    .slice(2)
    .split("/")
    .reduce((node, key) => node?.[key], document);
  assert.ok(found, `${part.$ref} exists`);
  return found as Part;
}

function hasExample({ example, examples }: Media): boolean {
  return example !== undefined || examples !== undefined;
}

describe("every operation", () => {
  it("has a name of its own and a summary that is one line", () => {
    assert.ok(operations.length >= 5);
    assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
    for (const { title, operationId, summary } of operations) {
      assert.match(operationId ?? "", /^[a-z][A-Za-z]+$/, title);
      assert.match(summary ?? "", /^[A-Z][^\n]{5,80}[^.\n]$/, title);
    }
  });

  it("shows an example of each parameter, of its body and of its success", () => {
    for (const { title, parameters, requestBody, responses } of operations) {
      for (const parameter of parameters.map(resolve)) assert.ok(parameter.example !== undefined, `${title}: parameter ${parameter.name}`);
      for (const [type, media] of Object.entries(resolve(requestBody ?? {}).content ?? {})) assert.ok(hasExample(media), `${title}: body ${type}`);
      for (const [status, response] of Object.entries(responses).filter(([code]) => code < "300"))
        for (const [type, media] of Object.entries(resolve(response).content ?? {})) assert.ok(hasExample(media), `${title}: ${status} ${type}`);
    }
  });

  it("that needs a bearer token documents what can go wrong, as problem details", () => {
    for (const { title, responses } of operations.filter(({ security }) => security === undefined)) {
      for (const status of BEARER_ERRORS) assert.ok(responses[status], `${title}: ${status}`);
      for (const [status, response] of Object.entries(responses).filter(([code]) => code >= "400"))
        assert.deepEqual(Object.keys(resolve(response).content ?? {}), ["application/problem+json"], `${title}: ${status}`);
    }
  });

  it("describes every answer", () => {
    for (const { title, responses } of operations)
      for (const [status, response] of Object.entries(responses)) assert.match(resolve(response).description ?? "", /\.$/, `${title}: ${status}`);
  });
});

for (const name of ["ErrorCode", "CloseCode"]) {
  const { enum: values, "x-enum-varnames": names, "x-enum-descriptions": descriptions } = document.components.schemas[name] as NamedEnum;

  describe(name, () => {
    it("names and describes each value, in ascending order", () => {
      assert.deepEqual([names.length, descriptions.length], [values.length, values.length]);
      assert.deepEqual(
        values,
        [...new Set(values)].toSorted((a, b) => a - b),
      );
      assert.equal(new Set(names).size, names.length);
      for (const each of names) assert.match(each, /^[A-Z][A-Z_]+$/);
      for (const each of descriptions) assert.match(each, /^[A-Z].*[.)]$/);
    });
  });
}
