// The Secret of the servers when there are many applications: compressed when plain text would not fit, and only then.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Aggregate, compose, type Entry, readAggregate, textsOf, toSecret } from "../../server/src/operator/aggregate.ts";
import { bytesOf, MAX_SECRET_BYTES, readTexts, toData } from "../../server/src/operator/secret-data.ts";
import { askRevision } from "../../server/src/operator/servers.ts";
import { startServer } from "../helpers/server.ts";
import { application, entry, NOW } from "./sample.ts";

const random = (id: string) => ({ id, secret: randomBytes(32).toString("base64url") });
/** Two secrets each, limits and origins: some 660 bytes of plain text. */
const make = (count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => {
    const credentials = { active: random("20300101-a1"), previous: [{ ...random("20291201-b2"), notAfterMs: NOW + i }], rotatedMs: NOW - i, trigger: "" };
    const fields = { limits: { max_connections: 500, pushes_per_second: 20 }, allowed_origins: [`https://application-${i}.shop.example.com`] };
    return entry(application(`application-${i}`, {}, { uid: crypto.randomUUID() }), credentials, { fields });
  });
const stored = (aggregate: Aggregate) => toSecret("push", "apps", aggregate).data;
const plainBytes = (aggregate: Aggregate) => bytesOf(toData(textsOf(aggregate), false));

test("what fits is plain, what does not is compressed whole, and is read back as it was", () => {
  const few = compose(make(500), undefined, NOW);
  assert.deepEqual(Object.keys(stored(few)), ["applications.json", "operator.json"]);
  const many = compose(make(5_000), undefined, NOW);
  assert.deepEqual(Object.keys(stored(many)), ["applications.json.gz", "operator.json.gz"]);
  assert.ok(plainBytes(many) > 2 * MAX_SECRET_BYTES);
  assert.ok(bytesOf(stored(many)) < 900_000, `${bytesOf(stored(many))} bytes`);
  for (const each of [few, many]) assert.deepEqual(readAggregate({ data: stored(each) }), each);
});

test("the same applications are the same bytes, with no time in them", () => {
  const entries = make(2_000);
  const [one, two] = [compose(entries, undefined, NOW), compose([...entries].reverse(), undefined, NOW)];
  assert.deepEqual(stored(one), stored(two));
  for (const text of Object.values(stored(one))) assert.deepEqual([...Buffer.from(text, "base64").subarray(0, 8)], [31, 139, 8, 0, 0, 0, 0, 0]);
});

test("around the limit it does not go to and fro", () => {
  const entries = make(2_000);
  const each = plainBytes(compose(entries, undefined, NOW)) / entries.length;
  const forms: boolean[] = [];
  let before: Aggregate | undefined;
  for (const bytes of [890_000, 910_000, 890_000, 710_000, 690_000, 710_000, 890_000]) {
    before = compose(entries.slice(0, Math.round(bytes / each)), before, NOW);
    forms.push(before.packed);
  }
  assert.deepEqual(forms, [false, true, true, true, false, false, false]);
});

test("a Secret that cannot be read is refused with the key at fault", () => {
  const data = stored(compose(make(2_000), undefined, NOW));
  const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");
  const cut = Buffer.from(data["operator.json.gz"] ?? "", "base64").subarray(0, 1_000);
  assert.throws(() => readTexts({ ...data, "applications.json": base64("{}") }), /^Error: applications\.json and applications\.json\.gz are both there$/);
  assert.throws(() => readTexts({ ...data, "applications.json.gz": base64("{}") }), /^Error: applications\.json\.gz is not whole gzip$/);
  assert.throws(() => readTexts({ ...data, "operator.json.gz": base64(cut) }), /^Error: operator\.json\.gz is not whole gzip$/);
  assert.throws(() => readAggregate({ data: {} }), /^Error: applications\.json is missing or no JSON$/);
});

test("a server serves what is written compressed", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "xlvein-operator-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [key, text] of Object.entries(stored(compose(make(2_000), undefined, NOW)))) await writeFile(join(folder, key), Buffer.from(text, "base64"));
  const { internalUrl } = await startServer(t, { applications: [], config: { applications_dir: folder } });
  assert.equal(await askRevision("127.0.0.1", Number(new URL(internalUrl).port)), NOW);
});
