// Broker addresses as people write them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { maskUrl, parseRabbitmqUrl, parseRedisUrl } from "../../server/src/config/broker-url.ts";

test("the last @ parts the credentials from the host, so a password may hold @, / and $", () => {
  const { user, password, hosts, vhost, tls, urls } = parseRabbitmqUrl("amqp://xlvein:WFxg5FNMedN@T$z@127.0.0.1:5672/vein");
  assert.deepEqual(
    { user, password, hosts, vhost, tls },
    { user: "xlvein", password: "WFxg5FNMedN@T$z", hosts: [{ host: "127.0.0.1", port: 5672 }], vhost: "vein", tls: false },
  );
  assert.deepEqual(urls, ["amqp://xlvein:WFxg5FNMedN%40T%24z@127.0.0.1:5672/vein"]);
  assert.equal(parseRabbitmqUrl("amqp://u:a/b?c#d@e:f@broker/v").password, "a/b?c#d@e:f");
});

test("the normalised URL means the same to the platform's own parser", () => {
  const [url = ""] = parseRabbitmqUrl("amqps://us er:p@ss/w%rd@[::1]/a b?heartbeat=30").urls;
  const parsed = new URL(url);
  assert.equal(decodeURIComponent(parsed.password), "p@ss/w%rd");
  assert.equal(decodeURIComponent(parsed.username), "us er");
  assert.equal(parsed.host, "[::1]:5671");
  assert.equal(parsed.pathname, "/a%20b");
  assert.equal(parsed.search, "?heartbeat=30");
});

test("percent-encoded credentials and vhosts are decoded, a lone % stays", () => {
  assert.equal(parseRabbitmqUrl("amqp://u:p%40ss@h/%2Fv").password, "p@ss");
  assert.equal(parseRabbitmqUrl("amqp://u:p%40ss@h/%2Fv").vhost, "/v");
  assert.equal(parseRabbitmqUrl("amqp://u:100%@h").password, "100%");
});

test("a RabbitMQ address without a vhost means /, without a scheme amqp", () => {
  for (const text of ["amqp://h", "amqp://h/", "h:5672"]) {
    assert.equal(parseRabbitmqUrl(text).vhost, "/", text);
    assert.deepEqual(parseRabbitmqUrl(text).urls, ["amqp://h:5672/%2F"], text);
  }
});

test("several hosts share credentials and vhost", () => {
  assert.deepEqual(parseRabbitmqUrl("amqp://u:p@a,b:5673/v").urls, ["amqp://u:p@a:5672/v", "amqp://u:p@b:5673/v"]);
});

test("a Redis address needs no scheme", () => {
  assert.deepEqual(parseRedisUrl("127.0.0.1:6379"), {
    user: "",
    password: "",
    hosts: [{ host: "127.0.0.1", port: 6379 }],
    tls: false,
    db: 0,
    urls: ["redis://127.0.0.1:6379/0"],
  });
  assert.deepEqual(parseRedisUrl(":6380").urls, ["redis://localhost:6380/0"]);
  assert.deepEqual(parseRedisUrl("redis://:p@ss@h/3").urls, ["redis://:p%40ss@h:6379/3"]);
  const secure = parseRedisUrl("rediss://user:word@cache.example.org:6390");
  assert.ok(secure.tls);
  assert.deepEqual(secure.urls, ["rediss://user:word@cache.example.org:6390/0"]);
});

test("a wrong address is refused with a sentence that does not hold it", () => {
  const wrong: [(text: string) => unknown, string, RegExp][] = [
    [parseRedisUrl, "http://user:hunter2@h", /must begin with redis:\/\/ or rediss:\/\//],
    [parseRedisUrl, "redis://user:hunter2@h/main", /database number/],
    [parseRedisUrl, "redis://user:hunter2@h:99999", /port from 1 to 65535/],
    [parseRedisUrl, "redis://user:hunter2@", /must name a host/],
    [parseRedisUrl, "redis://user:hunter2@h:x", /must name a host/],
    [parseRabbitmqUrl, "redis://user:hunter2@h", /must begin with amqp:\/\/ or amqps:\/\//],
    [parseRabbitmqUrl, "amqp://user:hunter2@h h", /must name a host/],
    [parseRabbitmqUrl, "constructor://user:hunter2@h", /must begin/],
  ];
  for (const [parse, text, message] of wrong) {
    assert.throws(
      () => parse(text),
      (error: Error) => message.test(error.message) && !error.message.includes("hunter2"),
      text,
    );
  }
});

test("a masked address shows where and who, never the password", () => {
  assert.equal(maskUrl("amqp://xlvein:WFxg5FNMedN@T$z@127.0.0.1:5672/vein"), "amqp://xlvein:********@127.0.0.1:5672/vein");
  assert.equal(maskUrl("redis://:secret@h:6379/0"), "redis://:********@h:6379/0");
  assert.equal(maskUrl("redis://secret@h"), "redis://********@h");
  assert.equal(maskUrl("h:6379?password=secret&db=1"), "h:6379?password=********&db=********");
  assert.equal(maskUrl("127.0.0.1:6379"), "127.0.0.1:6379");
  assert.equal(maskUrl(""), "");
});
