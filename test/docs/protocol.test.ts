// PROTOCOL.md says what openapi.yaml and the code say: codes, vectors, limits.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { type ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { plain, ROOT, readDocument, section, tableRows } from "./markdown.ts";

interface NamedEnum {
  enum: number[];
  "x-enum-varnames": string[];
}

const protocol = readDocument("PROTOCOL.md");
const schemas = parse(readFileSync(join(ROOT, "openapi.yaml"), "utf8"), { merge: true }).components.schemas as Record<string, NamedEnum>;

function declared(name: string): [number, string][] {
  const schema = schemas[name];
  assert.ok(schema, `openapi.yaml has ${name}`);
  return schema.enum.map((value, i) => [value, schema["x-enum-varnames"][i] ?? ""]);
}

function documented(heading: string): [number, string][] {
  return tableRows(section(protocol, heading), "code").map((row) => [Number(row.code), row.name ?? ""]);
}

test("the table of error codes has every code of openapi.yaml with its name, and no other", () => {
  assert.deepEqual(documented("Error codes"), declared("ErrorCode"));
});

test("the table of error codes has the HTTP status and the retryability of the catalogue", () => {
  for (const row of tableRows(section(protocol, "Error codes"), "code")) {
    const { status, retryable } = new XlveinError(Number(row.code) as ErrorCode, "");
    assert.deepEqual([Number(row["HTTP status"]), row["retry?"]], [status, retryable ? "yes" : "no"], `code ${row.code}`);
  }
});

test("the table of close codes has every code of openapi.yaml with its name, and no other", () => {
  assert.deepEqual(documented("Close codes"), declared("CloseCode"));
});

test("every sign vector of the document is the MD5 it says, and is one of the shared vectors", () => {
  const shared = JSON.parse(readFileSync(join(ROOT, "test/vectors/sign.json"), "utf8")).vectors as Record<string, string>[];
  const rows = tableRows(section(protocol, "`sign`"), "secret").map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, cell]) => [plain(key), plain(cell)])),
  );
  assert.equal(rows.length, 4);
  for (const { secret, app_key, send_to, message, nonce, sign } of rows) {
    const text = `app_key=${app_key}&message=${message}&nonce=${nonce}&send_to=${send_to}&key=${secret}`;
    assert.equal(createHash("md5").update(text, "utf8").digest("hex").toUpperCase(), sign);
  }
  assert.deepEqual(rows, shared);
});

test("the token vector's parts and signature are what the document says", () => {
  const rows = section(protocol, "Token vector");
  const value = (name: string) => new RegExp(`^\\| ${name} \\| \`(.+)\` \\|$`, "m").exec(rows)?.[1] ?? assert.fail(`no ${name}`);
  const [header = "", payload = "", signature] = value("token").split(".");
  assert.equal(Buffer.from(header, "base64url").toString(), value("header"));
  assert.equal(Buffer.from(payload, "base64url").toString(), value("payload"));
  assert.equal(createHmac("sha256", value("secret")).update(`${header}.${payload}`).digest("base64url"), signature);
});

test("live delivery is promised in the agreed words", () => {
  assert.match(protocol, /Live delivery is at most once\./);
});
