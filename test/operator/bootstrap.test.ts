// The Secrets that an installation needs once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseApplications } from "../../server/src/apps/parse.ts";
import { bootstrap, planBootstrap } from "../../server/src/operator/bootstrap.ts";
import { KubeError, type Secret } from "../../server/src/operator/kube.ts";
import { decode } from "../../server/src/operator/tenant-secret.ts";

const wishes = {
  namespace: "push",
  redis: "r",
  rabbitmq: { name: "q", username: "user" },
  application: { name: "a", appKey: "default", connectUrl: "ws://x/ws/connect", pushUrl: "http://x" },
  labels: { l: "1" },
};
const texts = ({ data }: Secret) => Object.fromEntries(Object.entries(data).map(([key, base64]) => [key, decode(base64)]));

/** An API server that has these Secrets. */
function fake(present: Secret[]) {
  const created: string[] = [];
  return {
    created,
    async createSecret(secret: Secret): Promise<Secret> {
      if (present.some(({ metadata }) => metadata.name === secret.metadata.name)) throw new KubeError(409, "exists");
      created.push(secret.metadata.name);
      return secret;
    },
    getSecret: async (_namespace: string, name: string) => present.find(({ metadata }) => metadata.name === name),
  };
}

test("each holds what its reader reads", () => {
  let count = 0;
  const [redis, rabbitmq, application] = planBootstrap(wishes, () => `${++count}`.repeat(43));
  assert.deepEqual(texts(redis ?? assert.fail()), { password: "1".repeat(43), "auth.conf": `requirepass ${"1".repeat(43)}\n` });
  assert.deepEqual(texts(rabbitmq ?? assert.fail()), {
    username: "user",
    password: "2".repeat(43),
    "default_user.conf": `default_user = user\ndefault_pass = ${"2".repeat(43)}\n`,
  });
  const { "applications.json": json = "", ...rest } = texts(application ?? assert.fail());
  assert.deepEqual(rest, {
    type: "xlvein",
    provider: "xlvein",
    app_key: "default",
    app_secret: "3".repeat(43),
    connect_url: "ws://x/ws/connect",
    push_url: "http://x",
  });
  const { set, warnings } = parseApplications(JSON.parse(json), { source: "s", now: 0 });
  assert.equal(set.apps.get("default")?.secrets[0]?.text, "3".repeat(43));
  assert.deepEqual(warnings, []);
  assert.deepEqual(redis?.metadata, { name: "r", namespace: "push", labels: { l: "1" } });
});

test("each has 256 random bits of its own, safe in a URL and in a configuration file", () => {
  const passwords = [...planBootstrap(wishes), ...planBootstrap(wishes)].map((secret) => texts(secret)["password"] ?? texts(secret)["app_secret"]);
  assert.equal(new Set(passwords).size, 6);
  for (const password of passwords) assert.match(password ?? "", /^[\w-]{43}$/);
});

test("what is absent is made, and what is there is left as it is", async () => {
  const [redis] = planBootstrap({ ...wishes, rabbitmq: undefined, application: undefined });
  const kube = fake([redis ?? assert.fail()]);
  assert.deepEqual(await bootstrap(kube, planBootstrap(wishes)), [
    { name: "r", outcome: "present" },
    { name: "q", outcome: "created" },
    { name: "a", outcome: "created" },
  ]);
  assert.deepEqual(kube.created, ["q", "a"]);
});

test("one that lacks a key is named", async () => {
  const [redis = assert.fail()] = planBootstrap(wishes);
  const kube = fake([{ ...redis, data: { password: redis.data["password"] ?? "" } }]);
  await assert.rejects(bootstrap(kube, planBootstrap(wishes)), /Secret push\/r exists and lacks auth\.conf/);
});
