// The configured list of Redis addresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostsOf, identityOf, readRedisAddresses } from "../../server/src/redis/address.ts";

const identity = (text: string) => identityOf(readRedisAddresses([text])[0] ?? assert.fail());

test("an address is itself whoever logs in, however, and in whatever order its hosts stand", () => {
  assert.equal(identity("redis://user:secret@h:6379/1"), identity("rediss://h/1"));
  assert.equal(identity("redis+sentinel://a:secret@h1,h2:26380/main/1"), identity("redis+sentinel://b@h2:26380,h1/main/1?sentinel_password=secret"));
  assert.equal(identity("redis+cluster://h1,h2"), identity("redis+cluster://H2:6379,h1"));
});

test("another host, port, database, master or kind is another address", () => {
  const texts = [
    "h",
    "h:6380",
    "h:6379/1",
    "g",
    "redis+cluster://h",
    "redis+sentinel://h:6379/main",
    "redis+sentinel://h:6379/other",
    "redis+sentinel://h:6379/main/1",
    "h,h2",
  ];
  const known = texts.slice(0, -1).map(identity);
  assert.equal(new Set(known).size, known.length);
});

test("what is shown of an address holds its hosts, master and database and no credentials", () => {
  const [single, sentinel] = readRedisAddresses(["redis://user:secret@[::1]:6379/3", "redis+sentinel://user:secret@a,b/main?sentinel_password=secret"]);
  assert.equal(hostsOf(single), "[::1]:6379/3");
  assert.equal(hostsOf(sentinel), "a:26379,b:26379/main");
});

test("a wrong address is named by its place, and never shown", () => {
  const wrong: [readonly string[], RegExp][] = [
    [[], /names no address/],
    [["redis://user:hunter2@h/main"], /^exchange\.redis: must end in a database number/],
    [["h", "http://user:hunter2@h"], /^exchange\.redis: the 2nd address must begin with/],
    [["redis://user:hunter2@h", "g", "rediss://:hunter2@h:6379"], /^exchange\.redis: the 3rd address is there twice \(h:6379\)/],
  ];
  for (const [texts, message] of wrong) {
    assert.throws(
      () => readRedisAddresses(texts),
      (error: Error) => message.test(error.message) && !error.message.includes("hunter2"),
    );
  }
});
