// openapi.yaml as the source of routes and request checks.
import type { FastifyInstance, RouteOptions } from "fastify";
import glue from "fastify-openapi-glue";
import { parse } from "yaml";

export interface Spec {
  readonly openapi: string;
  readonly info: object;
  readonly components: Readonly<Record<string, object>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

/** What a file of this folder says about one operation; path, method and schemas come from the description. */
export type Operation = Pick<RouteOptions, "handler"> & Partial<Omit<RouteOptions, "method" | "url" | "schema" | "handler">>;

/** Parses the text of openapi.yaml. */
export function readSpec(text: string): Spec {
  return parse(text, { merge: true }) as Spec;
}

/** The same description, in which the messages of a batch may be anything: they are checked one by one, so that a bad one fails alone. */
export function withLooseBatch(spec: Spec): Spec {
  const copy = structuredClone(spec) as { components: { schemas: { PushBatch: { properties: { messages: { items: object } } } } } } & Spec;
  copy.components.schemas.PushBatch.properties.messages.items = {};
  return copy;
}

/** Where an operation is, and the schemas of its body by media type. */
export interface BodyOfOperation {
  readonly path: string;
  readonly schemas: ReadonlyMap<string, object>;
}

/** What the description says about the body of an operation. */
export function bodyOf({ paths }: Spec, operationId: string): BodyOfOperation {
  for (const [path, item] of Object.entries(paths)) {
    for (const operation of Object.values(item) as { operationId?: string; requestBody?: { content: Record<string, { schema: object }> } }[]) {
      if (operation.operationId !== operationId) continue;
      return { path, schemas: new Map(Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) => [type, schema])) };
    }
  }
  throw new Error(`openapi.yaml lacks ${operationId}`);
}

/** Registers the operations named: each must be in the description. */
export async function addOperations(app: FastifyInstance, spec: Spec, operations: Readonly<Record<string, Operation>>): Promise<void> {
  const missing = new Set(Object.keys(operations));
  await app.register(glue, {
    specification: only(spec, missing),
    operationResolver: (operationId) => {
      missing.delete(operationId);
      // The type asks for method and url too, which the description supplies.
      return operations[operationId] as RouteOptions;
    },
  });
  if (missing.size > 0) throw new Error(`openapi.yaml lacks ${[...missing].join(", ")}`);
}

/** The description cut down to what some operations need, without responses: answers are checked by tests, not at run time. */
function only({ openapi, info, components, paths: all }: Spec, operationIds: ReadonlySet<string>): object {
  const paths: Record<string, object> = {};
  for (const [path, item] of Object.entries(all)) {
    const kept = Object.entries(item).filter(([, value]) => !("operationId" in value) || operationIds.has(String(value.operationId)));
    const operations = kept.filter(([, value]) => "operationId" in value);
    if (operations.length === 0) continue;
    paths[path] = Object.fromEntries(kept.map(([name, value]) => [name, "operationId" in value ? { ...value, responses: undefined } : value]));
  }
  return JSON.parse(JSON.stringify({ openapi, info, components, paths })) as object;
}
