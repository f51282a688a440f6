// A compressed set of applications, mounted and watched: taken like a plain one, bounded, and never beside one.
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { MAX_UNPACKED_BYTES, pack } from "../../server/src/apps/packed.ts";
import type { AppSet } from "../../server/src/apps/registry.ts";
import { type AppSource, createAppSource } from "../../server/src/apps/sources.ts";
import { ConfigError, type Finding, formatFinding } from "../../server/src/config/config.ts";
import { loadConfig } from "../../server/src/config/load.ts";
import type { KubernetesAccess } from "../../server/src/kubernetes/access.ts";
import { createLog } from "../../server/src/log.ts";
import { makeFolder } from "../config/folder.ts";
import { startKubernetesApi } from "../kubernetes/api.ts";
import { createMount } from "./mount.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const PACKED = "applications.json.gz";
const PLAIN = "applications.json";

function json(keys: string, rest: object = {}): string {
  return JSON.stringify({ ...rest, applications: keys.split(" ").map((app_key) => ({ app_key, app_secret: `${SECRET}-${app_key}` })) });
}

function open(cwd: string, kubernetes?: KubernetesAccess): AppSource {
  const { config, file } = loadConfig({ env: {}, cwd });
  const options = { config, configFile: file, env: {}, cwd, settleMs: 20, log: createLog({ level: "silent" }) };
  return createAppSource(kubernetes === undefined ? options : { ...options, kubernetes });
}

/** What a source tells, one by one: the keys of a set, or the findings of a refusal. */
function follow(t: TestContext, source: AppSource): () => Promise<string> {
  const told: string[] = [];
  let wake = (): void => undefined;
  const tell = (text: string): void => {
    told.push(text);
    wake();
  };
  t.after(
    source.watch(
      (set: AppSet) => tell([...set.apps.keys()].join(" ")),
      (findings: readonly Finding[]) => tell(`refused: ${findings.map(formatFinding).join("; ")}`),
    ),
  );
  return async () => {
    while (told.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return told.shift() ?? "";
  };
}

/** What is wrong, and how it is told; `place`: as findings call it. */
const wrong = (place: string, key: string): [Record<string, string | Buffer>, string][] => [
  [{ [PACKED]: "no gzip" }, `refused: ${place}/${PACKED}: applications: is not whole gzip`],
  [{ [PACKED]: pack(json("a b c")).subarray(0, 60) }, `refused: ${place}/${PACKED}: applications: is not whole gzip`],
  [{ [PACKED]: gzipSync(Buffer.alloc(MAX_UNPACKED_BYTES + 1)) }, `refused: ${place}/${PACKED}: applications: unpacks to more than 16 MiB`],
  [{ [PACKED]: pack('{\n"applications": [') }, `refused: ${place}/${PACKED}:2: syntax: not valid JSON`],
  [{ [PACKED]: pack(json("a a")) }, `refused: ${place}/${PACKED}:1: applications[1].app_key: "a" is used by an application before`],
  [{ [PACKED]: pack(json("x")), [PLAIN]: json("y") }, `refused: ${place}: ${key}: holds both ${PLAIN} and ${PACKED}: keep one of them`],
  [{ other: "" }, `refused: ${place}: applications: holds no application any more, 2 are in force; say allow_empty: true if that is meant`],
];

test("a mounted Secret may change from plain to compressed and back, and what is wrong with it is refused", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_dir: secret\n" });
  const mount = createMount(join(cwd, "secret"));
  mount.write({ [PLAIN]: json("a") });
  const source = open(cwd);
  await source.load();
  const next = follow(t, source);
  mount.write({ [PACKED]: pack(json("a b")) });
  assert.equal(await next(), "a b");
  for (const [files, told] of wrong("secret", "applications_dir")) {
    mount.write(files);
    assert.equal(await next(), told);
  }
  mount.write({ [PLAIN]: json("c") });
  assert.equal(await next(), "c");
});

test("a watched Secret may, too", async (t) => {
  const api = await startKubernetesApi(t);
  const source = open(makeFolder(t, { "conf.yaml": "applications_secret: apps\n" }), api.access);
  api.write({ [PACKED]: pack(json("a")) });
  assert.deepEqual([...(await source.load()).apps.keys()], ["a"]);
  const next = follow(t, source);
  await api.asked(/WATCH/);
  api.write({ [PLAIN]: json("b c") });
  assert.equal(await next(), "b c");
  for (const [files, told] of wrong("Secret apps", "applications_secret")) {
    api.write(files);
    assert.equal(await next(), told);
  }
  api.write({ [PACKED]: pack(json("a b")) });
  assert.equal(await next(), "a b");
});

test("of both ways the higher revision counts when it is compressed, and the same bytes are the same set", async (t) => {
  const api = await startKubernetesApi(t);
  const cwd = makeFolder(t, { "conf.yaml": "applications_secret: apps\napplications_dir: secret\n", "secret/other": "" });
  const mount = createMount(join(cwd, "secret"));
  mount.write({ [PACKED]: pack(json("a", { revision: 7 })) });
  api.write({ [PLAIN]: json("old", { revision: 6 }) });
  const source = open(cwd, api.access);
  assert.deepEqual([...(await source.load()).apps.keys()], ["a"]);
  const next = follow(t, source);
  await api.asked(/WATCH/);
  api.write({ [PACKED]: pack(json("a b", { revision: 8 })) });
  assert.equal(await next(), "a b");
  mount.write({ [PACKED]: pack(json("a b", { revision: 8 })) });
  assert.equal(await source.reload(), true);
  mount.write({ [PACKED]: pack(json("a c", { revision: 9 })) });
  assert.equal(await next(), "a c");
});

test("what kubelet has half swapped is read whole: by the link, not by the names beside it", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_dir: secret\n" });
  const directory = join(cwd, "secret");
  mkdirSync(join(directory, "..1"), { recursive: true });
  writeFileSync(join(directory, "..1", PACKED), pack(json("a")));
  symlinkSync("..1", join(directory, "..data"));
  // The name of the time before leads nowhere any more, and the new one is not there yet.
  symlinkSync(join("..data", PLAIN), join(directory, PLAIN));
  assert.deepEqual([...(await open(cwd).load()).apps.keys()], ["a"]);
});

test("a start with a Secret that holds both forms ends with the reason", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_dir: secret\n", "secret/applications.yaml": "applications: []\n" });
  writeFileSync(join(cwd, "secret", PACKED), pack(json("a")));
  const words = `secret: applications_dir: holds both applications.yaml and ${PACKED}: keep one of them`;
  await assert.rejects(open(cwd).load(), (error) => error instanceof ConfigError && error.message === words);
});
