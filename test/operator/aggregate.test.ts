// The Secret of the servers: what it says, and that it is read back whole.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseApplications } from "../../server/src/apps/parse.ts";
import { isOlder } from "../../server/src/apps/revision.ts";
import { type Aggregate, compose, readAggregate, toSecret } from "../../server/src/operator/aggregate.ts";
import { decode } from "../../server/src/operator/tenant-secret.ts";
import { application, entry, NOW, secretOf } from "./sample.ts";

const rotating = {
  active: secretOf("1"),
  pending: secretOf("2"),
  previous: [{ ...secretOf("0"), notAfterMs: NOW + 5_000 }],
  rotatedMs: NOW,
  trigger: "x",
};
const entries = [
  entry(application("web"), rotating, { fields: { enabled: true, limits: { max_connections: 5 } } }),
  entry(application("api"), undefined, { existing: true }),
];
const stored = (aggregate: Aggregate) => toSecret("push", "apps", aggregate);
const served = (aggregate: Aggregate) => parseApplications(JSON.parse(decode(stored(aggregate).data["applications.json"])), { source: "s", now: NOW });

test("servers take what it says, in the order of the keys and with every secret", () => {
  const { set, allowEmpty } = served(compose(entries, undefined, NOW));
  assert.deepEqual([...set.apps.keys()], ["shop.api", "shop.web"]);
  const web = set.apps.get("shop.web");
  assert.deepEqual(
    web?.secrets.map(({ id, notAfterMs }) => [id, notAfterMs]),
    [
      ["1", Infinity],
      ["2", Infinity],
      ["0", NOW + 5_000],
    ],
  );
  assert.equal(web?.limits.maxConnections, 5);
  assert.equal(allowEmpty, false);
  assert.equal(served(compose([], undefined, NOW)).allowEmpty, true);
});

test("it is read back as it was", () => {
  const aggregate = compose(entries, undefined, NOW);
  assert.deepEqual(readAggregate(stored(aggregate)), aggregate);
});

test("the revision counts what servers would see, and each entry keeps the count that brought it", () => {
  const one = compose(entries, undefined, NOW);
  assert.equal(one.counter, NOW);
  const same = compose([...one.entries.values()].reverse(), one, NOW + 1);
  assert.deepEqual([same.revision, same.counter], [one.revision, one.counter]);
  const [api, web] = [...one.entries.values()];
  const two = compose([api ?? assert.fail(), { ...(web ?? assert.fail()), fields: { enabled: false } }], one, NOW);
  assert.deepEqual([two.counter, two.entries.get("shop.api")?.revision, two.entries.get("shop.web")?.revision], [NOW + 1, NOW, NOW + 1]);
  assert.ok(isOlder(one.revision, two.revision));
  const three = compose([api ?? assert.fail()], two, NOW);
  assert.equal(three.counter, NOW + 2);
});

test("what only the operator remembers changes no revision", () => {
  const one = compose(entries, undefined, NOW);
  const two = compose(
    [...one.entries.values()].map((each) => ({ ...each, credentials: { ...each.credentials, trigger: "y" } })),
    one,
    NOW,
  );
  assert.equal(two.revision, one.revision);
  assert.notEqual(stored(two).data["operator.json"], stored(one).data["operator.json"]);
});

test("a Secret that holds something else is refused with what is wrong", () => {
  const good = stored(compose(entries, undefined, NOW));
  const broken = (data: Record<string, string>) => () => readAggregate({ ...good, data: { ...good.data, ...data } });
  const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
  assert.throws(broken({ "operator.json": "" }), /operator\.json is missing or no JSON/);
  assert.throws(broken({ "operator.json": json({ version: 2, applications: [] }) }), /operator\.json is of another version/);
  assert.throws(broken({ "applications.json": json({ revision: "x", applications: [] }) }), /applications\.json is not what the operator has written/);
  assert.throws(broken({ "applications.json": json({ revision: "1-a", applications: [] }) }), /applications\.json lacks shop\.api/);
});
