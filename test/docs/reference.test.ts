// The reference tables of the documents equal the code: configuration keys, application fields, limits, metrics, log of reasons.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { parseApplications } from "../../server/src/apps/parse.ts";
import { type Setting, settings } from "../../server/src/config/schema.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { codeBlocks, plain, ROOT, readDocument, section, tableRows } from "./markdown.ts";

const configuration = readDocument("docs/configuration.md");
const operations = readDocument("docs/operations.md");
const protocol = readDocument("PROTOCOL.md");

/** How the document spells a setting's kind and bounds. */
function typeOf({ format, min, max, choices = [] }: Setting): string {
  const range = `${min} to ${max}`;
  if (format === "choice") return choices.map((choice) => `\`${choice}\``).join(", ");
  const words: Partial<Record<Setting["format"], string>> = {
    switch: "true or false",
    whole: `whole number, ${range}`,
    decimal: `number, ${range}`,
    listen: "listen address",
    addresses: "broker addresses",
    applications: "list",
    secret: "Secret name",
  };
  return words[format] ?? format;
}

test("docs/configuration.md lists every key of the schema with its type, default and variable, and no other", () => {
  const documented = tableRows(section(configuration, "Keys"), "key").map((row) =>
    [plain(row.key), row.type, plain(row.default), plain(row.variable)].join(" | "),
  );
  const declared = settings.map((setting) => [setting.key, typeOf(setting), JSON.stringify(setting.default), setting.variable].join(" | "));
  assert.deepEqual(documented.toSorted(), declared.toSorted());
});

test("README.md's table of keys has every key of the schema with its default and variable", () => {
  const documented = tableRows(section(readDocument("README.md"), "Configure"), "key").map((row) =>
    [plain(row.key), plain(row.default), plain(row.variable)].join(" | "),
  );
  const declared = settings.map(({ key, default: value, variable }) => [key, JSON.stringify(value), variable].join(" | "));
  assert.deepEqual(documented.toSorted(), declared.toSorted());
});

test("docs/configuration.md lists every field of an application, and no other", () => {
  const source = readFileSync(join(ROOT, "server/src/apps/parse.ts"), "utf8");
  const names = (list: string) => new RegExp(`${list} = \\[([^\\]]*)\\]`).exec(source)?.[1]?.match(/\w+/g) ?? assert.fail(`parse.ts has no ${list}`);
  const declared = [...names("APP_FIELDS").filter((name) => name !== "limits"), ...names("LIMIT_FIELDS").map((name) => `limits.${name}`)];
  const documented = tableRows(section(configuration, "Applications"), "field").map((row) => plain(row.field));
  assert.deepEqual(documented.toSorted(), declared.toSorted());
});

test("docs/configuration.md lists every field of a rule for rooms, and no other", () => {
  const source = readFileSync(join(ROOT, "server/src/apps/streams.ts"), "utf8");
  const declared = /ROOM_FIELDS = \[([^\]]*)\]/.exec(source)?.[1]?.match(/\w+/g) ?? assert.fail("streams.ts has no ROOM_FIELDS");
  const documented = tableRows(section(configuration, "Rules for rooms"), "field of a rule").map((row) => plain(row["field of a rule"]));
  assert.deepEqual(documented.toSorted(), declared.toSorted());
});

test("the rules for rooms that docs/configuration.md shows can be used, and examples/conf/conf.full.yaml's application too", () => {
  const key = { app_key: "a", app_secret: "x".repeat(32) };
  const [shown] = codeBlocks(section(configuration, "Rules for rooms"));
  const rules = parseApplications([{ ...key, ...(parse(shown?.text ?? "") as object) }], { source: "test", now: 0 }).set.apps.get("a")?.rooms;
  assert.deepEqual(
    rules?.map(({ prefix }) => prefix),
    ["ticker:", "news:", ""],
  );
  const lines = readDocument("examples/conf/conf.full.yaml")
    .split("\n")
    .map((line) => /^# {3}([ -] .*)$/.exec(line)?.[1]);
  const [app] = parse(lines.filter((line) => line !== undefined).join("\n")) as Record<string, unknown>[];
  const { app_secret: _, secrets: _several, ...rest } = app ?? assert.fail("no application is shown");
  const full = parseApplications([{ ...rest, ...key }], { source: "test", now: 0 }).set.apps.get("a");
  assert.deepEqual([full?.rooms.length, full?.limits.maxRoomsPerConnection, full?.history?.messages], [1, 128, 100]);
});

test("an application with nothing but a key and a secret has the documented defaults", () => {
  const { set } = parseApplications([{ app_key: "a", app_secret: "x".repeat(32) }], { source: "test", now: 0 });
  const app = set.apps.get("a") ?? assert.fail("no application");
  const documented = new Map(tableRows(configuration, "field").map((row) => [plain(row.field), plain(row.default)]));
  const actual: Record<string, string> = {
    enabled: String(app.enabled),
    algorithms: `[${app.algorithms.join(", ")}]`,
    push_auth: `[${[...app.pushAuth].join(", ")}]`,
    nonce_ttl_seconds: String(app.nonceTtlMs / 1000),
    nonce_reuse: app.nonceReuse,
    require_exp: String(app.requireExp),
    close_on_expiry: String(app.closeOnExpiry),
    deflate: String(app.deflate),
    allowed_origins: `[${[...app.allowedOrigins].join(", ")}]`,
    client_rights: `[${[...app.clientRights].join(", ")}]`,
    history: app.history === undefined ? "none" : "some",
    slow: app.slow,
    rooms: `[${app.rooms.map(({ prefix }) => prefix).join(", ")}]`,
    ...Object.fromEntries(
      Object.entries(app.limits).map(([name, value]) => [
        `limits.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
        value === Infinity ? "none" : String(value),
      ]),
    ),
  };
  for (const [field, value] of Object.entries(actual)) assert.equal(documented.get(field), value, field);
});

test("PROTOCOL.md's limits of a node have the defaults of the schema", () => {
  const rows = tableRows(section(protocol, "Limits"), "key").map((row) => [plain(row.key), Number((row.default ?? "").replaceAll(",", "").split(" ")[0])]);
  const declared = settings.filter(({ key }) => key.startsWith("limits.")).map(({ key, default: value }) => [key, value]);
  assert.deepEqual(rows, declared);
});

test("every reason that a metric or a log line can show is explained", () => {
  const sources = readdirSync(join(ROOT, "server/src"), { recursive: true, encoding: "utf8" }).filter((name) =>
    /^(ws|hub|auth|protocol|publish|recover)\/.*\.ts$/.test(name),
  );
  const texts = sources.map((name) => readFileSync(join(ROOT, "server/src", name), "utf8"));
  const literals = texts.flatMap((text) => [
    ...[...text.matchAll(/reason: "(\w+)"/g), ...text.matchAll(/TokenError\("(\w+)"/g), ...text.matchAll(/drop\([^,]+, "(\w+)"/g)].map(
      ([, reason = ""]) => reason,
    ),
    ...(/type Unwanted = ([^;]+);/.exec(text)?.[1]?.match(/\w+/g) ?? []),
  ]);
  const used = new Set(literals);
  assert.ok(used.size > 12, `only ${used.size} reasons found`);
  for (const reason of used) assert.ok(operations.includes(`\`${reason}\``) || protocol.includes(`\`${reason}\``), reason);
  const documented = [...tableRows(operations, "`reason`"), ...tableRows(protocol, "reason")].flatMap((row) =>
    [...(row["`reason`"] ?? row.reason ?? "").matchAll(/`(\w+)`/g)].map(([, reason]) => reason),
  );
  for (const reason of documented) assert.ok(used.has(reason ?? ""), `no source uses ${reason}`);
});

test("docs/operations.md lists every metric with its type and labels, and no other", async () => {
  const { registry } = createMetrics("0.0.0-test");
  const declared = registry.getMetricsAsArray().flatMap((metric) => {
    const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
    return name.startsWith("xlvein_") ? [{ name, labels: labelNames.map((label) => `\`${label}\``).join(", ") }] : [];
  });
  const types = new Map([...(await registry.metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]));
  const rows = tableRows(section(operations, "Metrics"), "metric").map((row) => [plain(row.metric), row.type, row.labels].join(" | "));
  assert.deepEqual(rows.toSorted(), declared.map(({ name, labels }) => [name, types.get(name), labels].join(" | ")).toSorted());
});
