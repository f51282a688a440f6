// Every spelling of an address to listen on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatListen, isLoopback, parseListen } from "../../server/src/config/listen.ts";

test("an address is read in every spelling that configuration files use", () => {
  assert.deepEqual(parseListen(":8090"), { host: "0.0.0.0", port: 8090 });
  assert.deepEqual(parseListen("0.0.0.0:8090"), { host: "0.0.0.0", port: 8090 });
  assert.deepEqual(parseListen("[::1]:8090"), { host: "::1", port: 8090 });
  assert.deepEqual(parseListen("[::]"), { host: "::" });
  assert.deepEqual(parseListen("::1"), { host: "::1" });
  assert.deepEqual(parseListen("127.0.0.1"), { host: "127.0.0.1" });
  assert.deepEqual(parseListen("localhost:0"), { host: "localhost", port: 0 });
  assert.deepEqual(parseListen("my-host.example.org"), { host: "my-host.example.org" });
  assert.deepEqual(parseListen(8090), { host: "0.0.0.0", port: 8090 });
  assert.deepEqual(parseListen("8090"), { host: "0.0.0.0", port: 8090 });
});

test("what is no address is refused with a sentence", () => {
  for (const wrong of [
    "http://127.0.0.1:8090",
    "127.0.0.1:65536",
    "127.0.0.1:x",
    "127.0.0.256",
    "[127.0.0.1]:80",
    "a b",
    "-x",
    "1.5",
    80.5,
    -1,
    65536,
    true,
    null,
    {},
  ])
    assert.throws(() => parseListen(wrong), /^Error: must (be an address|have a port)/, String(wrong));
});

test("a written address reads back as itself", () => {
  for (const text of ["127.0.0.1:8090", "[::1]:8090", "localhost:0"]) {
    const { host = "", port = -1 } = parseListen(text);
    assert.equal(formatListen({ host, port }), text);
  }
});

test("only loopback addresses count as this machine's own", () => {
  for (const host of ["127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"]) assert.ok(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "example.org", "128.0.0.1"]) assert.ok(!isLoopback(host), host);
});
