// The configuration files of the repository itself.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../server/src/config/config.ts";
import { loadConfig } from "../../server/src/config/load.ts";
import { settings } from "../../server/src/config/schema.ts";

const root = join(import.meta.dirname, "../..");

test("conf.full.yaml shows every key, each with its default", () => {
  const { findings, origin, values } = loadConfig({ file: "examples/conf/conf.full.yaml", env: {}, cwd: root });
  assert.deepEqual(findings, []);
  for (const { key, default: usual } of settings) {
    assert.equal(origin.get(key)?.kind, "file", `${key} is missing`);
    // An empty name stands for one that follows from others.
    const effective = { host: "0.0.0.0:8090", "exchange.exchange_name": "xlvein", "exchange.queue_name": "xlvein.queue" }[key] ?? usual;
    assert.deepEqual(values.get(key), effective, key);
  }
});

test("the sample configuration serves the two applications of the classic sample on this machine alone", () => {
  const { config, findings } = loadConfig({ file: "conf.yaml", env: {}, cwd: root });
  assert.deepEqual(findings, []);
  assert.deepEqual(config.listen, { host: "127.0.0.1", port: 8090 });
  assert.equal(config.exchange.type, "local");
  assert.deepEqual(config.applications, [
    { app_key: "test", app_secret: "j8jasd98efan9sdfj89asjdf" },
    { app_key: "test2", app_secret: "j8jasd98efan9sdfj89asjdf" },
  ]);
});

test("an error of the configuration is known by its name and holds its findings", () => {
  const error = new ConfigError([{ severity: "error", key: "host", message: "must be", source: "conf.yaml", line: 3, suggestion: "x" }]);
  assert.equal(error.name, "ConfigError");
  assert.equal(error.message, "conf.yaml:3: host: must be; did you mean x?");
});
