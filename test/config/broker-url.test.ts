// Broker addresses as people write them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MASK, maskUrl, parseRabbitmqUrl, parseRedisUrl } from "../../server/src/config/broker-url.ts";

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
    kind: "single",
    user: "",
    password: "",
    hosts: [{ host: "127.0.0.1", port: 6379 }],
    tls: false,
    db: 0,
    master: "",
    sentinelUser: "",
    sentinelPassword: "",
    url: "redis://127.0.0.1:6379/0",
  });
  assert.equal(parseRedisUrl(":6380").url, "redis://localhost:6380/0");
  assert.equal(parseRedisUrl("redis://:p@ss@h/3").url, "redis://:p%40ss@h:6379/3");
  const secure = parseRedisUrl("rediss://user:word@cache.example.org:6390");
  assert.ok(secure.tls);
  assert.equal(secure.url, "rediss://user:word@cache.example.org:6390/0");
});

test("a Sentinel address names the Sentinels, the master, and what each asks for", () => {
  const address = parseRedisUrl("rediss+sentinel://app:p@ss@s1,[::1]:26380/my%2Fmaster/2?sentinel_user=watch&sentinel_password=w%26rd");
  assert.deepEqual(address, {
    kind: "sentinel",
    user: "app",
    password: "p@ss",
    hosts: [
      { host: "s1", port: 26379 },
      { host: "::1", port: 26380 },
    ],
    tls: true,
    db: 2,
    master: "my/master",
    sentinelUser: "watch",
    sentinelPassword: "w&rd",
    url: "rediss+sentinel://app:p%40ss@s1:26379,[::1]:26380/my%2Fmaster/2?sentinel_user=watch&sentinel_password=w%26rd",
  });
  assert.equal(parseRedisUrl("redis+sentinel://s1/m").url, "redis+sentinel://s1:26379/m/0");
});

test("the Sentinels' password may hold signs that nobody has escaped: those of base64, and an @", () => {
  const { password, sentinelPassword, hosts, url } = parseRedisUrl("redis+sentinel://:a+b/c=@s1/m/0?sentinel_password=d+e/f@g#h==");
  assert.deepEqual([password, sentinelPassword, hosts.length], ["a+b/c=", "d+e/f@g#h==", 1]);
  assert.equal(parseRedisUrl(url).sentinelPassword, sentinelPassword);
  assert.equal(maskUrl("redis+sentinel://s1/m?sentinel_password=hunter@2"), `redis+sentinel://s1/m?sentinel_password=${MASK}`);
});

test("a Cluster address names some of its nodes", () => {
  const { kind, hosts, tls, url } = parseRedisUrl("redis+cluster://:word@a,b:7001/");
  assert.deepEqual(
    { kind, hosts, tls, url },
    {
      kind: "cluster",
      hosts: [
        { host: "a", port: 6379 },
        { host: "b", port: 7001 },
      ],
      tls: false,
      url: "redis+cluster://:word@a:6379,b:7001/",
    },
  );
  assert.ok(parseRedisUrl("rediss+cluster://a").tls);
});

test("a complete Redis address, read again, is the same", () => {
  for (const text of ["h", "rediss://u ser:p@s/s%@[::1]:1/7", "redis+sentinel://:x?y@a,b/m m/3?sentinel_password=a+b%2B", "rediss+cluster://u:%3F@a,b"]) {
    const first = parseRedisUrl(text);
    assert.deepEqual(parseRedisUrl(first.url), first, text);
  }
});

test("a wrong address is refused with a sentence that does not hold it", () => {
  const wrong: [(text: string) => unknown, string, RegExp][] = [
    [parseRedisUrl, "http://user:hunter2@h", /must begin with redis:\/\/, rediss:\/\/, redis\+sentinel:\/\/, .* or rediss\+cluster:\/\//],
    [parseRedisUrl, "redis://user:hunter2@h,i", /must name one host; several are redis\+sentinel/],
    [parseRedisUrl, "redis://h?password=hunter2", /must not have parameters/],
    [parseRedisUrl, "redis+cluster://h?hunter2", /must not have parameters/],
    [parseRedisUrl, "redis+cluster://user:hunter2@h/1", /a Cluster has no other/],
    [parseRedisUrl, "redis+sentinel://user:hunter2@h", /must name the master after the hosts/],
    [parseRedisUrl, "redis+sentinel://user:hunter2@h//0", /must name the master/],
    [parseRedisUrl, "redis+sentinel://user:hunter2@h/m/0/1", /database number, such as \/mymaster\/0/],
    [parseRedisUrl, "redis+sentinel://h/m?hunter2=1", /other parameters than sentinel_user and sentinel_password/],
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
  assert.equal(
    maskUrl("redis+sentinel://app:p@ss@s1,s2/m/0?sentinel_user=watch&sentinel_password=secret"),
    "redis+sentinel://app:********@s1,s2/m/0?sentinel_user=********&sentinel_password=********",
  );
  assert.equal(maskUrl("rediss+cluster://app:secret@a,b"), "rediss+cluster://app:********@a,b");
  assert.equal(maskUrl(""), "");
});
