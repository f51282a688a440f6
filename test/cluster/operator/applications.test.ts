// The operator on a real API server, with the chart's roles and admission policy: what becomes of Application objects.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { AGGREGATE, condition, type Ground, prepareGround, SERVERS, type StandIn, TENANT, text, until } from "./ground.ts";

const ends: (() => unknown)[] = [];
const suite = { after: (end: () => unknown) => void ends.unshift(end) };
let ground: Ground;
let servers: readonly StandIn[];
let url: string;

before(async () => {
  ground = await prepareGround(suite);
  servers = await ground.servers(suite, 2);
  ({ url } = await ground.operator(suite));
});
after(async () => {
  for (const end of ends) await end();
});

const ready = (name: string, namespace?: string) =>
  until(
    () => ground.application(name, namespace),
    (app) => condition(app) === "True/Ready" && app.status?.observedGeneration === app.metadata.generation,
  );
const entry = async (appKey: string) => (await ground.given())?.applications.find(({ app_key: key }) => key === appKey);

describe("a new application", () => {
  it("gets credentials that its backend and the servers agree on", async () => {
    const begun = performance.now();
    await ground.apply("web");
    const app = await ready("web");
    console.log(`ready after ${Math.round(performance.now() - begun)} ms`);
    const secret = await ground.secret("web-xlvein");
    assert.ok(secret);
    assert.deepEqual(
      ["type", "provider", "app_key", "connect_url", "push_url", "host", "port"].map((key) => text(secret, key)),
      ["xlvein", "xlvein", "shop.web", "wss://push.example.com/ws/connect", "http://xlvein.push.svc:8090", "xlvein.push.svc", "8090"],
    );
    assert.equal(secret.type, "servicebinding.io/xlvein");
    assert.equal(secret.metadata.ownerReferences?.[0]?.uid, app.metadata.uid);
    const served = await entry("shop.web");
    assert.equal(served?.secrets[0]?.secret, text(secret, "app_secret"));
    assert.equal(Buffer.from(text(secret, "app_secret"), "base64url").length, 32);
    assert.deepEqual(
      [app.status?.appKey, app.status?.secretRef?.name, app.status?.synced, app.status?.activeKeyId],
      ["shop.web", "web-xlvein", "2/2", served?.secrets[0]?.id],
    );
    assert.deepEqual(
      ["CredentialsReady", "Synced"].map((type) => condition(app, type)),
      ["True/Generated", "True/Synced"],
    );
  });

  it("shows in kubectl with its key, readiness and servers", async () => {
    const [head, row] = (await ground.plane.kubectl("get", "xlapp", "-n", TENANT, "web", "-o", "wide")).split("\n");
    assert.match(head ?? "", /NAME +APP KEY +READY +REASON +SYNCED +SECRET +ROTATED +AGE/);
    assert.match(row ?? "", /web +shop\.web +True +Ready +2\/2 +web-xlvein +\d+\w+ +\d+\w+/);
    assert.match(await ground.plane.kubectl("get", "events", "-n", TENANT), /Normal +SecretCreated +application\/web +Secret web-xlvein/);
  });
});

describe("fields", () => {
  it("reach the servers in their own spelling, each of them", async () => {
    await ground.apply("full", {
      appKey: "full",
      enabled: true,
      algorithms: ["HS256", "HS512"],
      pushAuth: ["bearer"],
      nonceReuse: "allow_other_body",
      nonceTtlSeconds: 60,
      requireExp: true,
      closeOnExpiry: true,
      deflate: true,
      allowedOrigins: ["https://shop.example.com"],
      clientRights: ["direct"],
      history: { messages: 10, seconds: 60 },
      slow: "conflate",
      rooms: [{ prefix: "newsRoom:", history: { messages: 5, seconds: 30 }, publish: "nobody", slow: "drop_oldest" }],
      limits: {
        maxConnections: 1,
        maxConnectionsPerAccount: 2,
        maxMessageBytes: 1024,
        messagesPerSecondPerConnection: 4,
        pushesPerSecond: 5,
        maxRoomsPerConnection: 6,
      },
    });
    await ready("full");
    const { secrets, ...fields } = (await entry("full")) ?? { secrets: [] };
    assert.equal(secrets.length, 1);
    assert.deepEqual(fields, {
      app_key: "full",
      enabled: true,
      algorithms: ["HS256", "HS512"],
      push_auth: ["bearer"],
      nonce_reuse: "allow_other_body",
      nonce_ttl_seconds: 60,
      require_exp: true,
      close_on_expiry: true,
      deflate: true,
      allowed_origins: ["https://shop.example.com"],
      client_rights: ["direct"],
      history: { messages: 10, seconds: 60 },
      slow: "conflate",
      rooms: [{ prefix: "newsRoom:", history: { messages: 5, seconds: 30 }, publish: "nobody", slow: "drop_oldest" }],
      limits: {
        max_connections: 1,
        max_connections_per_account: 2,
        max_message_bytes: 1024,
        messages_per_second_per_connection: 4,
        pushes_per_second: 5,
        max_rooms_per_connection: 6,
      },
    });
  });

  it("that the servers would refuse stay out, and those before them in force", async () => {
    await ground.apply("strict", { allowedOrigins: ["https://a.example.com"] });
    await ready("strict");
    const counts = async (): Promise<string> => (await ground.given())?.revision ?? "";
    const revision = await counts();
    await ground.apply("strict", { allowedOrigins: ["https://a.example.com/"] });
    const app = await until(
      () => ground.application("strict"),
      (seen) => condition(seen) === "False/InvalidSpec",
    );
    assert.match(
      app.status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "",
      /^spec\.allowedOrigins\[0\] .*https:\/\/a\.example\.com.*stays in force/,
    );
    assert.deepEqual((await entry("shop.strict"))?.["allowed_origins"], ["https://a.example.com"]);
    assert.equal(await counts(), revision);
    await ground.apply("strict", {});
    await ready("strict");
    assert.equal((await entry("shop.strict"))?.["allowed_origins"], undefined);
  });

  it("enabled: false is told to the servers, and is no alarm", async () => {
    await ground.apply("resting", { enabled: false });
    await until(
      () => ground.application("resting"),
      (app) => condition(app) === "False/Disabled" && condition(app, "Synced") === "True/Synced",
    );
    assert.equal((await entry("shop.resting"))?.["enabled"], false);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.doesNotMatch(metrics, /application="resting"/);
    assert.match(metrics, /xlvein_operator_application_ready\{application="web",application_namespace="shop"\} 1/);
  });
});

describe("more applications than a Secret holds as plain text", () => {
  const COUNT = 80;
  /** Some 13 KB for each application. */
  const origins = Array.from({ length: 64 }, () => `https://${Array.from({ length: 3 }, () => randomBytes(30).toString("hex")).join(".")}.example.com`);
  const names = Array.from({ length: COUNT }, (_, i) => `many-${i}`);
  const form = async () => Object.keys((await ground.secret(AGGREGATE, SERVERS))?.data ?? {}).sort();

  it("are written compressed, and are plain again when most of them are gone", async () => {
    await Promise.all(names.map((name) => ground.apply(name, { allowedOrigins: origins.map((origin) => origin.replace("//", `//${name}.`)) })));
    for (const name of names) await ready(name);
    assert.deepEqual(await form(), ["applications.json.gz", "operator.json.gz"]);
    assert.equal((await ground.given())?.applications.filter(({ app_key: key }) => key.startsWith(`${TENANT}.many-`)).length, COUNT);
    // kubectl would take its time between them.
    await Promise.all(names.map((name) => ground.plane.api.delete(`/apis/xlvein.io/v1alpha1/namespaces/${TENANT}/applications/${name}`)));
    await until(form, (keys) => keys.join() === "applications.json,operator.json");
    assert.equal(await entry(`${TENANT}.many-0`), undefined);
    assert.ok((await ground.given())?.applications.length);
  });
});

describe("a key", () => {
  it("belongs to the oldest application that wants it, and to the next one when that is gone", async () => {
    await ground.apply("first", { appKey: "wanted" });
    await ready("first");
    const owner = await entry("wanted");
    // Creation times have whole seconds.
    await until(
      async () => Date.now(),
      (now) => now % 1000 < 100,
    );
    await ground.apply("second", { appKey: "wanted" }, "other");
    const refused = await until(
      () => ground.application("second", "other"),
      (app) => condition(app) === "False/AppKeyConflict",
    );
    assert.match(refused.status?.conditions?.[2]?.message ?? "", /appKey wanted belongs to Application shop\/first/);
    assert.equal(await ground.secret("second-xlvein", "other"), undefined);
    assert.deepEqual(await entry("wanted"), owner);
    assert.match(await ground.plane.kubectl("get", "events", "-n", "other"), /Warning +AppKeyConflict +application\/second/);

    await ground.plane.kubectl("delete", "xlapp", "-n", TENANT, "first");
    await ready("second", "other");
    assert.notEqual((await entry("wanted"))?.secrets[0]?.secret, owner?.secrets[0]?.secret, "a secret is not inherited");
  });

  it("with another namespace before its dot is refused", async () => {
    await ground.apply("thief", { appKey: "shop.treasure" }, "other");
    await until(
      () => ground.application("thief", "other"),
      (app) => condition(app) === "False/AppKeyForeign",
    );
    await ground.apply("treasure");
    await ready("treasure");
  });

  it("of an application of another installation is not looked at", async () => {
    await ground.apply("elsewhere", { serverRef: { name: "another" } });
    await ground.apply("here");
    await ready("here");
    assert.equal((await ground.application("elsewhere")).status, undefined);
    assert.equal(await entry("shop.elsewhere"), undefined);
  });
});

describe("a Secret", () => {
  it("of the owner is served when it is there and long enough, without a copy", async () => {
    await ground.apply("own", { credentials: { existingSecretRef: { name: "vault", key: "hmac" } } });
    await until(
      () => ground.application("own"),
      (app) => condition(app) === "False/SecretMissing",
    );
    const put = (secret: string) =>
      ground.plane.api.patch(
        `/api/v1/namespaces/${TENANT}/secrets/vault?fieldManager=test`,
        { apiVersion: "v1", kind: "Secret", metadata: { name: "vault" }, stringData: { hmac: secret } },
        "apply",
      );
    await put("short");
    await until(
      () => ground.application("own"),
      (app) => condition(app) === "False/SecretTooShort",
    );
    assert.equal(await entry("shop.own"), undefined);
    await put("0123456789abcdef0123456789abcdef");
    const app = await ready("own");
    assert.equal(app.status?.secretRef?.name, "vault");
    assert.deepEqual((await entry("shop.own"))?.secrets, [{ id: "existing", secret: "0123456789abcdef0123456789abcdef" }]);
    assert.equal(await ground.secret("own-xlvein"), undefined);
    await put("fedcba9876543210fedcba9876543210");
    await until(
      () => entry("shop.own"),
      (seen) => seen?.secrets[0]?.secret === "fedcba9876543210fedcba9876543210",
    );
  });

  it("of somebody else is never written", async () => {
    await ground.plane.kubectl("create", "secret", "generic", "theirs", "-n", TENANT, "--from-literal=app_secret=untouched");
    await ground.apply("bold", { credentials: { secretName: "theirs" } });
    await until(
      () => ground.application("bold"),
      (app) => condition(app) === "False/SecretNotOwned",
    );
    assert.deepEqual((await ground.secret("theirs"))?.data, { app_secret: Buffer.from("untouched").toString("base64") });
    await ground.apply("bold", { credentials: { secretName: "mine" } });
    await ready("bold");
    assert.notEqual(await ground.secret("mine"), undefined);
  });

  it("that is deleted or edited comes back with the same secret", async () => {
    await ground.apply("lost");
    await ready("lost");
    const before = await ground.secret("lost-xlvein");
    await ground.plane.kubectl("delete", "secret", "-n", TENANT, "lost-xlvein");
    const again = await until(
      () => ground.secret("lost-xlvein"),
      (seen) => seen !== undefined,
    );
    assert.notEqual(again?.metadata.uid, before?.metadata.uid);
    assert.deepEqual(again?.data, before?.data);
    await ground.plane.api.patch(`/api/v1/namespaces/${TENANT}/secrets/lost-xlvein`, { data: { app_secret: "AAAA", more: "AAAA" } });
    await until(
      () => ground.secret("lost-xlvein"),
      (seen) => seen?.data["app_secret"] === before?.data["app_secret"] && seen?.data["more"] === "AAAA",
    );
  });

  it("left by an application that is gone makes way for the next one of that name", async () => {
    await ground.apply("phoenix");
    await ready("phoenix");
    const before = await ground.secret("phoenix-xlvein");
    await ground.plane.kubectl("delete", "xlapp", "-n", TENANT, "phoenix");
    await until(
      () => entry("shop.phoenix"),
      (seen) => seen === undefined,
    );
    // Without the garbage collector it would stay for ever.
    assert.notEqual(await ground.secret("phoenix-xlvein"), undefined);
    await ground.apply("phoenix");
    const app = await ready("phoenix");
    const secret = await ground.secret("phoenix-xlvein");
    assert.equal(secret?.metadata.ownerReferences?.[0]?.uid, app.metadata.uid);
    assert.notEqual(secret?.data["app_secret"], before?.data["app_secret"]);
  });

  it("under another name replaces the one before", async () => {
    await ground.apply("moved");
    await ready("moved");
    const before = await ground.secret("moved-xlvein");
    await ground.apply("moved", { credentials: { secretName: "elsewhere" } });
    const after = await until(
      () => ground.secret("elsewhere"),
      (seen) => seen !== undefined,
    );
    assert.equal(after?.data["app_secret"], before?.data["app_secret"]);
    await until(
      () => ground.secret("moved-xlvein"),
      (seen) => seen === undefined,
    );
  });
});

describe("rotation", () => {
  it("tells backends of a secret only when every server has it, and drops the old one after the overlap", async () => {
    const rotation = (trigger: string) => ({ credentials: { rotation: { trigger, overlap: "3s" } } });
    await ground.apply("turning", rotation("1"));
    await ready("turning");
    const [old] = (await entry("shop.turning"))?.secrets ?? [];
    const told = async () => text((await ground.secret("turning-xlvein")) ?? assert.fail(), "app_secret");
    const lagging = servers[1] ?? assert.fail();
    lagging.serve(Number.parseInt((await ground.given())?.revision ?? "", 10));

    await ground.apply("turning", rotation("2"));
    const both = await until(
      () => entry("shop.turning"),
      (seen) => seen?.secrets.length === 2,
    );
    assert.deepEqual(both?.secrets[0], old);
    const waiting = await until(
      () => ground.application("turning"),
      (app) => app.status?.synced === "1/2" && condition(app) === "False/Syncing",
    );
    assert.equal(condition(waiting, "Rotating"), "True/TellingServers");
    assert.equal(await told(), old?.secret, "a server does not know the new one yet");

    lagging.serve(Number.POSITIVE_INFINITY);
    const fresh = both?.secrets[1];
    await until(told, (secret) => secret === fresh?.secret);
    const after = await until(
      () => entry("shop.turning"),
      (seen) => seen?.secrets[1]?.not_after !== undefined,
    );
    assert.deepEqual([after?.secrets[0], after?.secrets[1]?.id], [fresh, old?.id]);
    const turned = await until(
      () => ground.application("turning"),
      (app) => app.status?.previousKeyExpiresAt !== undefined && condition(app) === "True/Ready",
    );
    assert.equal(turned.status?.activeKeyId, fresh?.id);
    assert.equal(condition(turned, "Rotating"), "True/Overlap");

    await until(
      () => entry("shop.turning"),
      (seen) => seen?.secrets.length === 1,
    );
    assert.ok(Date.now() >= Date.parse(after?.secrets[1]?.not_after ?? ""));
    assert.deepEqual((await entry("shop.turning"))?.secrets, [fresh]);
    await until(
      () => ground.application("turning"),
      (app) => condition(app, "Rotating") === "False/Idle",
    );
    const events = await ground.plane.kubectl("get", "events", "-n", TENANT);
    assert.match(events, /Normal +RotationStarted +application\/turning/);
    assert.match(events, /Normal +Rotated +application\/turning/);
  });
});

describe("an application that is deleted", () => {
  it("leaves the servers at once, although nothing holds its deletion up", async () => {
    await ground.apply("gone");
    await ready("gone");
    await ground.plane.kubectl("delete", "xlapp", "-n", TENANT, "gone", "--timeout=5s");
    await until(
      () => entry("shop.gone"),
      (seen) => seen === undefined,
      2_000,
    );
    assert.doesNotMatch(await (await fetch(`${url}/metrics`)).text(), /application="gone"/);
  });
});

describe("rights", () => {
  it("are no more than the chart gives: Secrets can be neither listed nor watched", async () => {
    const api = await ground.plane.apiAs(SERVERS, "xlvein-operator");
    for (const path of [
      `/api/v1/namespaces/${TENANT}/secrets`,
      `/api/v1/namespaces/${TENANT}/secrets?watch=1`,
      "/api/v1/secrets",
      `/api/v1/namespaces/${SERVERS}/secrets/another`,
    ])
      assert.equal((await api.call("GET", path)).status, 403, path);
    assert.equal((await api.call("GET", `/api/v1/namespaces/${SERVERS}/secrets/${AGGREGATE}`)).status, 200);
    const { status, body } = await api.call("POST", `/api/v1/namespaces/${TENANT}/secrets`, { metadata: { name: "unlabelled" } });
    assert.equal(status, 422);
    assert.match(body.message ?? "", /only Secrets with the label/);
    api.close();
  });
});
