// The operator when something is lost: Secrets, the API server, its own memory.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createLog } from "../../../server/src/log.ts";
import { AGGREGATE, condition, type Ground, prepareGround, SERVERS, TENANT, text, until } from "./ground.ts";

const ends: (() => unknown)[] = [];
const suite = { after: (end: () => unknown) => void ends.unshift(end) };
const NAMES = ["a", "b", "c"];
let ground: Ground;

before(async () => {
  ground = await prepareGround(suite);
  await ground.servers(suite, 1);
});
after(async () => {
  for (const end of ends) await end();
});

const ready = (name: string) =>
  until(
    () => ground.application(name),
    (app) => condition(app) === "True/Ready",
  );
const counter = async (): Promise<number> => Number.parseInt((await ground.given())?.revision ?? "0", 10);
const secrets = async () => Object.fromEntries(((await ground.given())?.applications ?? []).map(({ app_key: key, secrets: [first] }) => [key, first]));
const remove = (namespace: string, name: string) => ground.plane.kubectl("delete", "secret", "-n", namespace, name);

describe("an operator", () => {
  it("gives the servers a set without applications when there are none, and says that this is meant", async (t) => {
    const { operator } = await ground.operator(t);
    const given = await until(ground.given, (seen) => seen !== undefined);
    assert.deepEqual([given?.applications, (given as { allow_empty?: boolean } | undefined)?.allow_empty], [[], true]);
    await operator.close();
  });

  it("that comes back changes nothing", async (t) => {
    const first = await ground.operator(t);
    for (const name of NAMES) await ground.apply(name);
    for (const name of NAMES) await ready(name);
    await first.operator.close();
    const [given, shown] = [await ground.given(), await Promise.all(NAMES.map((name) => ground.application(name)))];

    const second = await ground.operator(t);
    await until(
      async () => (await fetch(`${second.url}/metrics`)).text(),
      (metrics) => (metrics.match(/xlvein_operator_application_ready\{.*\} 1/g) ?? []).length === 3,
    );
    assert.deepEqual(await ground.given(), given);
    assert.deepEqual(await Promise.all(NAMES.map((name) => ground.application(name))), shown);
    await second.operator.close();
  });

  it("takes up what happened while it was away", async (t) => {
    await ground.apply("d");
    await ground.plane.kubectl("delete", "xlapp", "-n", TENANT, "c");
    const { operator } = await ground.operator(t);
    await ready("d");
    assert.deepEqual(Object.keys(await secrets()), ["shop.a", "shop.b", "shop.d"]);
    await operator.close();
  });
});

describe("the Secret of the servers", () => {
  it("that is deleted while no operator runs is made of the applications' own, with a higher revision", async (t) => {
    const [before, count] = [await secrets(), await counter()];
    await remove(SERVERS, AGGREGATE);
    const { operator } = await ground.operator(t);
    await until(counter, (now) => now > count);
    assert.deepEqual(await secrets(), before);
    await operator.close();
  });

  it("that somebody has spoilt is made of the applications' own", async (t) => {
    const [before, count] = [await secrets(), await counter()];
    await ground.plane.api.patch(`/api/v1/namespaces/${SERVERS}/secrets/${AGGREGATE}`, { stringData: { "operator.json": "{" } });
    const { operator } = await ground.operator(t);
    await until(counter, (now) => now > count);
    assert.deepEqual(await secrets(), before);
    await operator.close();
  });

  it("is put back when an application changes and somebody has deleted or edited it meanwhile", async (t) => {
    const { operator } = await ground.operator(t);
    await ready("a");
    const [before, count] = [await secrets(), await counter()];
    await remove(SERVERS, AGGREGATE);
    await ground.apply("a", { requireExp: true });
    await until(counter, (now) => now > count);
    assert.deepEqual(await secrets(), before);

    await ground.plane.api.patch(`/api/v1/namespaces/${SERVERS}/secrets/${AGGREGATE}`, { stringData: { more: "text" } });
    await ground.apply("a", { requireExp: false });
    await until(ground.given, (seen) => seen?.applications[0]?.["require_exp"] === false);
    assert.deepEqual(await secrets(), before);
    await operator.close();
  });

  it("of somebody else is left alone until it is out of the way", async (t) => {
    const before = await secrets();
    await remove(SERVERS, AGGREGATE);
    await ground.plane.kubectl("create", "secret", "generic", AGGREGATE, "-n", SERVERS, "--from-literal=theirs=1");
    const lines: string[] = [];
    const log = createLog({ level: "error", destination: { write: (line) => void lines.push(line) } });
    const { operator } = await ground.operator(t, { log });
    await until(
      async () => lines.join(""),
      (said) => said.includes(`Secret push/${AGGREGATE} was not made by the operator`),
    );
    assert.deepEqual(Object.keys((await ground.secret(AGGREGATE, SERVERS))?.data ?? {}), ["theirs"]);
    await remove(SERVERS, AGGREGATE);
    await until(ground.given, (seen) => seen?.applications.length === Object.keys(before).length);
    assert.deepEqual(await secrets(), before);
    await operator.close();
  });
});

describe("both Secrets", () => {
  it("lost at once mean new credentials, told alike to backend and servers", async (t) => {
    const before = await secrets();
    await remove(SERVERS, AGGREGATE);
    await remove(TENANT, "a-xlvein");
    const { operator } = await ground.operator(t);
    const secret = await until(
      () => ground.secret("a-xlvein"),
      (seen) => seen !== undefined,
    );
    const after = await secrets();
    assert.equal(after["shop.a"]?.secret, text(secret ?? assert.fail(), "app_secret"));
    assert.notEqual(after["shop.a"]?.secret, before["shop.a"]?.secret);
    assert.deepEqual(after["shop.b"], before["shop.b"]);
    await operator.close();
  });
});

describe("the API server", () => {
  it("away and back: what was changed right after is taken up within seconds", async (t) => {
    const { url } = await ground.operator(t);
    await ready("a");
    await ground.plane.stopApiServer("SIGKILL");
    assert.equal((await fetch(`${url}/livez`)).status, 200);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    await ground.plane.startApiServer();
    const begun = performance.now();
    await ground.apply("e");
    await ready("e");
    t.diagnostic(`ready ${Math.round(performance.now() - begun)} ms after the API server`);
    await ground.apply("e", { slow: "conflate" });
    await until(ground.given, (seen) => seen?.applications.find(({ app_key: key }) => key === "shop.e")?.["slow"] === "conflate");
  });
});
