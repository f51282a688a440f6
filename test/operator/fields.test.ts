// The fields of an Application and those of the servers' applications: the same, in two spellings.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { refuseFields, toFields } from "../../server/src/operator/fields.ts";
import { find, type Json, ROOT, render } from "../helm/chart.ts";

const list = (file: string, name: string): string[] =>
  new RegExp(`${name} = \\[([^\\]]*)\\]`).exec(readFileSync(join(ROOT, "server/src/apps", file), "utf8"))?.[1]?.match(/\w+/g) ??
  assert.fail(`${file} has no ${name}`);

/** A value of a schema, with every property in it. */
function sampleOf(node: Record<string, Json>): Json {
  const properties = node["properties"] as Record<string, Record<string, Json>> | undefined;
  if (properties) return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, sampleOf(each)]));
  if (node["type"] === "array") return [sampleOf(node["items"] as Record<string, Json>)];
  if (node["type"] === "integer") return Math.max(Number(node["minimum"] ?? 0), 1);
  if (node["type"] === "boolean") return true;
  return (node["enum"] as string[] | undefined)?.[0] ?? "https://example.com";
}

test("every field of the custom resource is one that the servers read, and the other way round", async () => {
  const crd = find(await render({ values: { operator: { enabled: true } } }), "CustomResourceDefinition");
  const fields = toFields(sampleOf(crd["spec"].versions[0].schema.openAPIV3Schema.properties.spec) as Record<string, Json>) as Record<
    string,
    Record<string, Json>
  >;
  const ofSecrets = ["app_key", "app_secret", "secrets", "allow_short_secrets"];
  const sorted = (names: string[]) => names.sort();
  assert.deepEqual(sorted(Object.keys(fields)), sorted(list("parse.ts", "APP_FIELDS").filter((name) => !ofSecrets.includes(name))));
  assert.deepEqual(sorted(Object.keys(fields["limits"] ?? {})), sorted(list("parse.ts", "LIMIT_FIELDS")));
  assert.deepEqual(sorted(Object.keys((fields["rooms"] as unknown as object[])[0] ?? {})), sorted(list("streams.ts", "ROOM_FIELDS")));
  assert.deepEqual(sorted(Object.keys(fields["history"] ?? {})), sorted(list("streams.ts", "HISTORY_FIELDS")));
  assert.equal(refuseFields("shop.web", fields), undefined);
});

test("what is the resource's own, and texts, are left alone", () => {
  const spec = { appKey: "k", serverRef: { name: "x" }, credentials: {}, rooms: [{ prefix: "newsRoom:" }], allowedOrigins: ["https://fooBar.example"] };
  assert.deepEqual(toFields(spec), { rooms: [{ prefix: "newsRoom:" }], allowed_origins: ["https://fooBar.example"] });
});

test("a refusal names the field as the resource spells it, and what was meant", () => {
  assert.equal(refuseFields("k", { allowed_origins: ["https://A.example"] }), "spec.allowedOrigins[0] is not spelt as browsers send it (https://a.example)");
  assert.match(
    refuseFields("k", { limits: { max_connections: 0 }, slow: "x" }) ?? "",
    /spec\.slow must be one of .*; spec\.limits\.maxConnections must be a positive integer/,
  );
});
