// Which values go together.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFinding } from "../../server/src/config/config.ts";
import { inspectConfig } from "../../server/src/config/load.ts";
import { makeFolder } from "./folder.ts";

function findings(t: Parameters<typeof makeFolder>[0], text: string, env: Record<string, string> = {}): string[] {
  const cwd = makeFolder(t, { "conf.yaml": text });
  return inspectConfig({ env, cwd }).findings.map((finding) => `${finding.severity} ${formatFinding(finding)}`);
}

test("exchange and store go together as documented, and no other way", (t) => {
  const allowed = { local: ["memory", "redis", "none"], redis: ["redis", "none"], rabbitmq: ["redis", "none"] };
  for (const [exchange, stores] of Object.entries(allowed)) {
    for (const store of ["memory", "redis", "none"]) {
      const text = `exchange: {type: ${exchange}, redis: "h:6379", rabbitmq: "amqp://h"}\nstore:\n  type: ${store}\n`;
      const expected = stores.includes(store) ? [] : [`error conf.yaml:3: store.type: ${store} does not go with exchange.type ${exchange}; use redis or none`];
      assert.deepEqual(findings(t, text), expected);
    }
  }
});

test("a broker that is used needs an address, at the key that lacks it", (t) => {
  assert.deepEqual(findings(t, "exchange: {type: redis}\n"), ["error defaults: exchange.redis: is missing; exchange.type needs it"]);
  assert.deepEqual(findings(t, "store: {type: redis}\n"), ["error defaults: exchange.redis: is missing; store.type needs it"]);
  assert.deepEqual(findings(t, 'exchange: {type: rabbitmq, redis: "h"}\n'), ["error defaults: exchange.rabbitmq: is missing; exchange.type needs it"]);
});

test("a wrong address is an error where it is used, a warning where it is not; it is never quoted", (t) => {
  const text = 'exchange:\n  type: TYPE\n  redis: "http://u:hunter2@h"\n  rabbitmq: "amqp://h"\n';
  const message = "conf.yaml:3: exchange.redis: must begin with redis:// or rediss://";
  assert.deepEqual(findings(t, text.replace("TYPE", "local")), [`warning ${message}`]);
  assert.deepEqual(findings(t, text.replace("TYPE", "redis")), [`error ${message}`]);
  assert.deepEqual(findings(t, "exchange: {type: redis}\n", { REDIS_URL: "http://u:hunter2@h" }), [
    "error environment: REDIS_URL: must begin with redis:// or rediss://",
  ]);
});

test("a certificate needs its key, and a key its certificate", (t) => {
  assert.deepEqual(findings(t, "tls: {cert: c.pem}\n"), ["error defaults: tls.key: is missing; tls.cert needs it"]);
  assert.deepEqual(findings(t, "tls: {key: k.pem}\n"), ["error defaults: tls.cert: is missing; tls.key needs it"]);
});

test("the internal listener cannot have the public port", (t) => {
  const clash = ["error conf.yaml:2: internal.port: is the port of host; choose another"];
  assert.deepEqual(findings(t, 'host: ":9000"\ninternal: {port: 9000}\n'), clash);
  assert.deepEqual(findings(t, 'host: "127.0.0.1:9000"\ninternal: {port: 9000}\n'), clash);
  assert.deepEqual(findings(t, 'host: "10.0.0.1:9000"\ninternal: {port: 9000}\n'), []);
  assert.deepEqual(findings(t, 'host: ":9000"\ninternal: {port: 9000, enabled: false}\n'), []);
  assert.deepEqual(findings(t, "host: 0\ninternal: {port: 0}\n"), []);
});

test("limits that undo each other are told", (t) => {
  assert.deepEqual(findings(t, "limits: {request_timeout_seconds: 5}\n"), [
    "error conf.yaml:1: limits.request_timeout_seconds: must not be less than limits.headers_timeout_seconds: it holds the headers' time too",
  ]);
  assert.deepEqual(findings(t, "limits: {outbox_bytes: 2048}\n"), [
    "warning conf.yaml:1: limits.outbox_bytes: is less than limits.frame_bytes: the largest frames close whoever receives them",
  ]);
});
