// PROTOCOL.md and openapi.yaml name the same frames, members, reasons and operations, and the server knows the ops that they name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { ErrorCode } from "../../server/src/errors.ts";
import { decodeOp } from "../../server/src/protocol/ops.ts";
import { assertServerFrame } from "../helpers/schemas.ts";
import { plain, ROOT, readDocument, section, tableRows } from "./markdown.ts";

interface Schema {
  readonly $ref?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

const document = parse(readFileSync(join(ROOT, "openapi.yaml"), "utf8"), { merge: true });
const full = section(readDocument("PROTOCOL.md"), "The full protocol: `xlvein.v2.json`");

function schema(name: string): Schema {
  return (document.components.schemas as Record<string, Schema>)[name] ?? assert.fail(`openapi.yaml has no ${name}`);
}

/** The values of `op` in the frames that a union names, without repeats; "" for one that has no `op`. */
function opsOf(union: string): string[] {
  const ops = (schema(union).anyOf ?? []).flatMap(({ $ref = "" }) => {
    const { op } = schema($ref.split("/").at(-1) as string).properties ?? {};
    return op ? (op.enum ?? [op.const as string]) : [""];
  });
  return [...new Set(ops)].toSorted();
}

const reasons = (name: string) => (schema(name).properties?.["reason"]?.enum ?? []).toSorted();
/** The words in back-ticks in the first cells of a table. */
const named = (heading: string, first: string) =>
  tableRows(section(full, heading), first).flatMap((row) => [...(row[first] ?? "").matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));

test("the table of a client's ops has those of openapi.yaml, which the server knows", () => {
  const ops = named("Frames of the client", "op");
  assert.deepEqual(ops.toSorted(), opsOf("ClientOp"));
  for (const op of ops) {
    const read = decodeOp(JSON.stringify({ op, id: 1 }), 64);
    assert.ok(read.op === op || (read.op === "fault" && read.error.code !== ErrorCode.UNKNOWN_OP), `${op}: ${JSON.stringify(read)}`);
  }
});

test("the table of the server's frames has those of openapi.yaml", () => {
  const frames = tableRows(section(full, "Frames of the server"), "frame").map(({ frame = "" }) => frame);
  assert.ok(frames.includes("a message (no `op`)"));
  const ops = frames.filter((frame) => !frame.startsWith("a message")).flatMap((frame) => [...frame.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));
  assert.deepEqual([...ops, ""].toSorted(), opsOf("ServerFrame"));
});

test("the reasons of recovery, gaps and ended subscriptions are those of openapi.yaml", () => {
  assert.deepEqual(named("Recovery", "`reason`").toSorted(), reasons("SubReply"));
  assert.deepEqual(reasons("StreamState"), reasons("SubReply"));
  const gaps = [...full.matchAll(/gap\{reason: "(\w+)"/g)].map(([, reason = ""]) => reason);
  assert.deepEqual([...new Set(gaps)].toSorted(), reasons("GapFrame"));
  const ended = /no longer in a room \(`reason`: ([^)]*)\)/.exec(full)?.[1]?.match(/\w+/g) ?? [];
  assert.deepEqual(ended.toSorted(), reasons("MembershipFrame"));
});

test("the members of a message are those of openapi.yaml", () => {
  const classic = tableRows(section(readDocument("PROTOCOL.md"), "Server → client"), "field").map(({ field }) => plain(field));
  assert.deepEqual([...new Set([...classic, ...named("Messages", "field")])].toSorted(), Object.keys(schema("MessageFrame").properties ?? {}).toSorted());
});

test("every frame that the text shows in one piece is one of the server's", () => {
  const shown = [...full.matchAll(/`(\{"(?:op|room)":[^`]*\})`/g)].map(([, text = ""]) => text);
  const frames = shown.filter((text) => !text.includes('"op":"pong"'));
  assert.ok(frames.length >= 3, `only ${frames.length} frames are shown`);
  for (const text of frames) assertServerFrame(text);
});

test("every operation of openapi.yaml under /api/v1 has a heading of its own, and no other has", () => {
  const declared = Object.entries(document.paths as Record<string, Record<string, unknown>>).flatMap(([path, item]) =>
    ["get", "put", "post", "delete", "patch"]
      .filter((method) => method in item && path.startsWith("/api/v1/"))
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  const documented = [...readDocument("PROTOCOL.md").matchAll(/^### `([A-Z]+ \/api\/v1\/\S+)`$/gm)].map(([, operation = ""]) => operation);
  // The classic path has a chapter to itself.
  assert.deepEqual([...documented, "POST /api/v1/im/push"].toSorted(), declared.toSorted());
});
