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

const REDIS_SCHEMES = "must begin with redis://, rediss://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or rediss+cluster://";

test("a wrong address is an error where it is used, a warning where it is not; it is never quoted", (t) => {
  const text = 'exchange:\n  type: TYPE\n  redis: "http://u:hunter2@h"\n  rabbitmq: "amqp://h"\n';
  const message = `conf.yaml:3: exchange.redis: ${REDIS_SCHEMES}`;
  assert.deepEqual(findings(t, text.replace("TYPE", "local")), [`warning ${message}`]);
  assert.deepEqual(findings(t, text.replace("TYPE", "redis")), [`error ${message}`]);
  assert.deepEqual(findings(t, "exchange: {type: redis}\n", { REDIS_URL: "http://u:hunter2@h" }), [`error environment: REDIS_URL: ${REDIS_SCHEMES}`]);
});

test("of several addresses the one at fault is told by its place", (t) => {
  assert.deepEqual(findings(t, 'exchange:\n  type: redis\n  redis: [a, "b:x", "redis://u:hunter2@c,d"]\n'), [
    "error conf.yaml:3: exchange.redis: the 2nd address must name a host, such as 127.0.0.1:6379 or broker.example.org",
    "error conf.yaml:3: exchange.redis: the 3rd address must name one host; several are redis+sentinel:// or redis+cluster://, or a list of addresses that share the load",
  ]);
  assert.deepEqual(findings(t, "exchange:\n  type: rabbitmq\n  rabbitmq: [amqp://a, redis://b]\n"), [
    "error conf.yaml:3: exchange.rabbitmq: the 2nd address must begin with amqp:// or amqps://",
  ]);
});

test("a Redis that is listed twice is an error, however it is written", (t) => {
  const fault = "error conf.yaml:1: exchange.redis: the 3rd address is there twice; each shares the load once";
  assert.deepEqual(findings(t, 'exchange: {type: redis, redis: ["a", "b", "redis://other:word@a:6379/0"]}\n'), [fault]);
  assert.deepEqual(findings(t, 'exchange: {type: redis, redis: ["a", "a:6380", "redis://a/1"]}\n'), []);
});

test("the broker's own certificate files go together, and are named where no address uses TLS", (t) => {
  assert.deepEqual(findings(t, "exchange: {type: redis, redis: 'rediss://h', tls: {cert: c.pem}}\n"), [
    "error defaults: exchange.tls.key: is missing; exchange.tls.cert needs it",
  ]);
  assert.deepEqual(findings(t, "exchange:\n  type: redis\n  redis: h\n  tls: {ca: c.pem}\n"), [
    "warning conf.yaml:4: exchange.tls.ca: is not used: no address in use begins with rediss or amqps",
  ]);
  assert.deepEqual(findings(t, "exchange: {type: rabbitmq, rabbitmq: [amqps://h], tls: {ca: c.pem}}\n"), []);
});

test("names that a broker would misread are refused", (t) => {
  const say = (name: string) => findings(t, JSON.stringify({ exchange: { exchange_name: name } }));
  for (const name of ["a{b", "a}b", "a b", "a\tb", "a\u0007b"]) {
    assert.deepEqual(say(name), ["error conf.yaml:1: exchange.exchange_name: must not hold braces, white space or control characters"], name);
  }
  assert.deepEqual(say("amq.x"), ['error conf.yaml:1: exchange.exchange_name: must not begin with "amq.", which RabbitMQ keeps for itself']);
  assert.deepEqual(say("é".repeat(51)), ["error conf.yaml:1: exchange.exchange_name: must not be longer than 100 bytes"]);
  assert.deepEqual(say("é".repeat(50)), []);
  assert.match(findings(t, "exchange: {queue_name: 'q q'}\n").join(), /exchange\.queue_name: must not hold braces/);
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
