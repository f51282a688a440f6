// The schemas of openapi.yaml, to hold frames against.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

interface Schema {
  properties?: Record<string, { const?: unknown; enum?: unknown[] }>;
}

const { components } = parse(readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8"), { merge: true }) as {
  components: { schemas: Record<string, Schema> };
};
const ajv = new Ajv2020({ strict: false }).addSchema({ components }, "openapi");
const compiled = new Map<string, ValidateFunction>();

function validatorOf(name: string): ValidateFunction {
  let validate = compiled.get(name);
  if (!validate) {
    assert.ok(components.schemas[name], `openapi.yaml has no schema ${name}`);
    validate = ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
    compiled.set(name, validate);
  }
  return validate;
}

/** Asserts that a value fits the schema of this name. */
export function assertFits(value: unknown, name: string): void {
  const validate = validatorOf(name);
  assert.ok(validate(value), `${ajv.errorsText(validate.errors)} for ${name}: ${JSON.stringify(value).slice(0, 300)}`);
}

/** A member that only one kind of `reply` has → its schema. */
const REPLIES = { msg_id: "PubReply", messages: "HistoryReply", rights: "RefreshReply", room: "SubReply" };
const FRAMES: Readonly<Record<string, string>> = {
  hello: "HelloFrame",
  error: "ErrorFrame",
  gap: "GapFrame",
  sub: "MembershipFrame",
  unsub: "MembershipFrame",
  drain: "DrainFrame",
  ping: "PingFrame",
  pong: "PingFrame",
};

/** Which frame of the server it is. */
export function schemaOf(frame: Record<string, unknown>): string {
  const { op } = frame;
  if (op === undefined) return "MessageFrame";
  if (op === "reply") return Object.entries(REPLIES).find(([member]) => member in frame)?.[1] ?? "Reply";
  return FRAMES[String(op)] ?? assert.fail(`no server sends ${String(op)}`);
}

/** Asserts that a text is a frame of the server, and has no member that its schema does not name. */
export function assertServerFrame(text: string, name?: string): void {
  const frame = JSON.parse(text) as Record<string, unknown>;
  const schema = name ?? schemaOf(frame);
  assertFits(frame, schema);
  const known = Object.keys(components.schemas[schema]?.properties ?? {});
  for (const member of Object.keys(frame)) assert.ok(known.includes(member), `${schema} does not name ${member}`);
}
