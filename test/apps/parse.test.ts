// A set of applications: what each field means, and every way to get one wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ParsedApplications, parseApplications } from "../../server/src/apps/parse.ts";
import { digestRevision, isOlder } from "../../server/src/apps/revision.ts";
import { refuseSampleSecret, warnSampleSecret } from "../../server/src/apps/sample.ts";
import { ConfigError, type Finding, formatFinding } from "../../server/src/config/config.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const OTHER = "fedcba9876543210fedcba9876543210";
const NOW = Date.parse("2026-11-23T00:00:00Z");
const GOOD = { app_key: "shop", app_secret: SECRET };

function parse(input: unknown): ParsedApplications {
  return parseApplications(input, { source: "apps.json", now: NOW });
}

/** What is said of an input, errors and warnings. */
function findings(input: unknown): readonly Finding[] {
  try {
    return parse(input).warnings;
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.findings;
  }
}

function faults(input: unknown): string[] {
  return findings(input).map(({ key, message, severity, suggestion }) => `${severity} ${key}: ${message}${suggestion ? ` (${suggestion})` : ""}`);
}

test("an application with a key and a secret has the documented defaults", () => {
  const { set, warnings, allowEmpty } = parse([GOOD]);
  assert.deepEqual(warnings, []);
  assert.equal(allowEmpty, false);
  const app = set.apps.get("shop");
  assert.ok(app);
  const [secret] = app.secrets;
  assert.equal(secret?.id, "default");
  assert.equal(secret?.text, SECRET);
  assert.equal(secret?.key.export().toString(), SECRET);
  assert.equal(secret?.notAfterMs, Infinity);
  const { secrets: _, ...rest } = app;
  assert.deepEqual(rest, {
    key: "shop",
    enabled: true,
    algorithms: ["HS256"],
    pushAuth: new Set(["sign", "bearer"]),
    nonceReuse: "refuse",
    nonceTtlMs: 300_000,
    requireExp: false,
    closeOnExpiry: false,
    deflate: false,
    allowedOrigins: new Set(),
    clientRights: new Set(["direct", "publish", "history"]),
    history: undefined,
    slow: "close",
    rooms: [],
    limits: {
      maxConnections: Infinity,
      maxConnectionsPerAccount: Infinity,
      maxMessageBytes: Infinity,
      messagesPerSecondPerConnection: Infinity,
      pushesPerSecond: Infinity,
      maxRoomsPerConnection: 128,
    },
  });
});

test("every field is read", () => {
  const { set, warnings } = parse({
    revision: "12-abc",
    allow_empty: true,
    applications: [
      {
        app_key: "shop",
        secrets: [
          { id: "new", secret: SECRET },
          { id: "old", secret: OTHER, not_after: "2030-01-01T00:00:00+08:00" },
        ],
        enabled: false,
        algorithms: ["HS512", "HS256"],
        push_auth: ["open"],
        nonce_reuse: "allow_other_body",
        nonce_ttl_seconds: 86_400,
        require_exp: true,
        close_on_expiry: true,
        deflate: true,
        allowed_origins: ["https://shop.example", "http://localhost:3000", "capacitor://localhost"],
        allow_short_secrets: false,
        client_rights: ["history", "direct"],
        history: { messages: 10_000, seconds: 2_592_000 },
        slow: "drop_oldest",
        rooms: [
          { prefix: "" },
          { prefix: "news:", publish: "nobody", slow: "conflate", history: { messages: 5, seconds: 60 } },
          { prefix: "news:de:", publish: "anyone", history: { messages: 0 } },
        ],
        limits: {
          max_connections: 1,
          max_connections_per_account: 2,
          max_message_bytes: 3,
          messages_per_second_per_connection: 4,
          pushes_per_second: 5,
          max_rooms_per_connection: 10_000,
        },
      },
    ],
  });
  assert.deepEqual(warnings, []);
  assert.equal(set.revision, "12-abc");
  const app = set.apps.get("shop");
  assert.deepEqual(
    app?.secrets.map(({ id, text, notAfterMs }) => [id, text, notAfterMs]),
    [
      ["new", SECRET, Infinity],
      ["old", OTHER, Date.parse("2029-12-31T16:00:00Z")],
    ],
  );
  assert.deepEqual([app?.enabled, app?.algorithms, app?.nonceReuse, app?.nonceTtlMs], [false, ["HS512", "HS256"], "allow_other_body", 86_400_000]);
  assert.deepEqual([app?.requireExp, app?.closeOnExpiry, app?.deflate, app?.pushAuth], [true, true, true, new Set(["open"])]);
  assert.deepEqual([...(app?.allowedOrigins ?? [])], ["https://shop.example", "http://localhost:3000", "capacitor://localhost"]);
  assert.deepEqual([app?.clientRights, app?.slow], [new Set(["direct", "history"]), "drop_oldest"]);
  assert.deepEqual(app?.history, { messages: 10_000, ms: 2_592_000_000 });
  assert.deepEqual(app?.rooms, [
    { prefix: "news:de:", history: { messages: 0, ms: 0 }, publish: "anyone", slow: undefined },
    { prefix: "news:", history: { messages: 5, ms: 60_000 }, publish: "nobody", slow: "conflate" },
    { prefix: "", history: undefined, publish: "members", slow: undefined },
  ]);
  assert.deepEqual(Object.values(app?.limits ?? {}), [1, 2, 3, 4, 5, 10_000]);
});

test("clients may be left without any right, and a connection without any room", () => {
  const app = parse([{ ...GOOD, client_rights: [], limits: { max_rooms_per_connection: 0 } }]).set.apps.get("shop");
  assert.deepEqual(app?.clientRights, new Set());
  assert.equal(app?.limits.maxRoomsPerConnection, 0);
});

test("a stream that keeps no messages, or keeps them for no time, keeps none; what is left out is the store's", () => {
  const historyOf = (history: unknown) => parse([{ ...GOOD, history }]).set.apps.get("shop")?.history;
  assert.equal(historyOf({ messages: 0 })?.messages, 0);
  assert.equal(historyOf({ messages: 0, seconds: 60 })?.messages, 0);
  assert.equal(historyOf({ seconds: 0 })?.messages, 0);
  assert.equal(historyOf({ messages: 5, seconds: 0 })?.messages, 0);
  assert.equal(historyOf(undefined), undefined);
  assert.equal(historyOf(null), undefined);
});

test("a prefix may be as long as a room's name, and hold any characters but *", () => {
  const prefixes = ["聊天室 😀 .+?[^", "a".repeat(256), "__proto__", ""];
  const app = parse([{ ...GOOD, rooms: prefixes.map((prefix) => ({ prefix })) }]).set.apps.get("shop");
  assert.deepEqual(
    app?.rooms.map(({ prefix }) => prefix),
    prefixes.toSorted((a, b) => b.length - a.length),
  );
});

/** An application with fields changed, and what is said of it. */
const wrong: [Record<string, unknown>, string][] = [
  [{ app_key: undefined }, "error applications[0].app_key: is missing"],
  [{ app_key: "" }, "error applications[0].app_key: must not be empty"],
  [{ app_key: 5 }, "error applications[0].app_key: must be a text; put it in quotes"],
  [{ app_key: "a\nb" }, "error applications[0].app_key: must not hold control characters"],
  [{ app_key: "a\ud800" }, "error applications[0].app_key: must not hold control characters"],
  [{ app_key: "a".repeat(129) }, "error applications[0].app_key: must have at most 128 characters"],
  [{ app_secret: undefined }, "error applications[0].app_secret: is missing"],
  [{ app_secret: "" }, "error applications[0].app_secret: must not be empty"],
  [{ app_secret: 5 }, "error applications[0].app_secret: must be a text; put it in quotes"],
  [{ app_secret: null }, "error applications[0].app_secret: must be a text; put it in quotes"],
  [{ secrets: [] }, "error applications[0].secrets: app_secret is set too; keep one of them"],
  [{ app_secret: undefined, secrets: [] }, "error applications[0].secrets: must hold at least one secret"],
  [{ app_secret: undefined, secrets: "x" }, "error applications[0].secrets: must be a list"],
  [{ app_secret: undefined, secrets: ["x"] }, "error applications[0].secrets[0]: must be a map of fields"],
  [{ app_secret: undefined, secrets: [{ secret: SECRET }] }, "error applications[0].secrets[0].id: is missing"],
  [{ app_secret: undefined, secrets: [{ id: "a b", secret: SECRET }] }, "error applications[0].secrets[0].id: must have 1 to 64 letters, digits and . _ -"],
  [{ app_secret: undefined, secrets: [{ id: "a" }] }, "error applications[0].secrets[0].secret: is missing"],
  [{ app_secret: undefined, secrets: [{ id: "a", secret: "" }] }, "error applications[0].secrets[0].secret: must not be empty"],
  [{ app_secret: undefined, secrets: [{ id: "a", secret: SECRET, notAfter: "x" }] }, "error applications[0].secrets[0].notAfter: unknown field (not_after)"],
  [
    { app_secret: undefined, secrets: [{ id: "a", secret: SECRET, not_after: "tomorrow" }] },
    "error applications[0].secrets[0].not_after: must be a time such as 2030-01-31T12:00:00Z",
  ],
  [
    { app_secret: undefined, secrets: [{ id: "a", secret: SECRET, not_after: "2030-13-01T00:00:00Z" }] },
    "error applications[0].secrets[0].not_after: must be a time such as 2030-01-31T12:00:00Z",
  ],
  [
    {
      app_secret: undefined,
      secrets: [
        { id: "a", secret: SECRET },
        { id: "a", secret: OTHER },
      ],
    },
    "error applications[0].secrets[1].id: a is used by a secret before",
  ],
  [{ enabled: "yes" }, "error applications[0].enabled: must be true or false"],
  [{ algorithms: "HS256" }, "error applications[0].algorithms: must be a list"],
  [{ algorithms: [] }, "error applications[0].algorithms: must name at least one of HS256, HS384, HS512"],
  [{ algorithms: ["none"] }, "error applications[0].algorithms[0]: must be one of HS256, HS384, HS512"],
  [{ push_auth: ["sign", "md5"] }, "error applications[0].push_auth[1]: must be one of sign, bearer, open"],
  [{ nonce_reuse: "allow" }, "error applications[0].nonce_reuse: must be one of refuse, allow_other_body"],
  [{ nonce_ttl_seconds: 0 }, "error applications[0].nonce_ttl_seconds: must be a whole number from 1 to 86400"],
  [{ nonce_ttl_seconds: 86_401 }, "error applications[0].nonce_ttl_seconds: must be a whole number from 1 to 86400"],
  [{ require_exp: 1 }, "error applications[0].require_exp: must be true or false"],
  [{ close_on_expiry: null }, "error applications[0].close_on_expiry: must be true or false"],
  [{ allow_short_secrets: "x" }, "error applications[0].allow_short_secrets: must be true or false"],
  [{ allowed_origins: "https://x.example" }, "error applications[0].allowed_origins: must be a list"],
  [{ allowed_origins: ["*"] }, "error applications[0].allowed_origins[0]: must be an origin; leave allowed_origins out to allow every one"],
  [{ allowed_origins: ["x.example"] }, "error applications[0].allowed_origins[0]: must be an origin such as https://example.com"],
  [{ allowed_origins: ["null"] }, "error applications[0].allowed_origins[0]: must be an origin such as https://example.com"],
  [{ allowed_origins: ["https://X.example/"] }, "error applications[0].allowed_origins[0]: is not spelt as browsers send it (https://x.example)"],
  [{ allowed_origins: ["https://x.example:443"] }, "error applications[0].allowed_origins[0]: is not spelt as browsers send it (https://x.example)"],
  [{ limits: 5 }, "error applications[0].limits: must be a map of fields"],
  [{ limits: { max_connections: 0 } }, "error applications[0].limits.max_connections: must be a positive integer"],
  [{ limits: { max_connections: 1.5 } }, "error applications[0].limits.max_connections: must be a positive integer"],
  [{ limits: { max_connections: "5" } }, "error applications[0].limits.max_connections: must be a positive integer"],
  [{ limits: { max_connections: null } }, "error applications[0].limits.max_connections: must be a positive integer"],
  [{ limits: { maxConnection: 5 } }, "error applications[0].limits.maxConnection: unknown field (max_connections)"],
  [{ limits: { max_rooms_per_connection: -1 } }, "error applications[0].limits.max_rooms_per_connection: must be a whole number from 0 to 10000"],
  [{ limits: { max_rooms_per_connection: 10_001 } }, "error applications[0].limits.max_rooms_per_connection: must be a whole number from 0 to 10000"],
  [{ limits: { max_rooms: 5 } }, "error applications[0].limits.max_rooms: unknown field"],
  [{ client_rights: "direct" }, "error applications[0].client_rights: must be a list"],
  [{ client_rights: null }, "error applications[0].client_rights: must be a list"],
  [{ client_rights: ["direct", "kick"] }, "error applications[0].client_rights[1]: must be one of direct, publish, history"],
  [{ clientRights: [] }, "error applications[0].clientRights: unknown field (client_rights)"],
  [{ slow: "conflat" }, "error applications[0].slow: must be one of close, drop_oldest, conflate"],
  [{ slow: null }, "error applications[0].slow: must be one of close, drop_oldest, conflate"],
  [{ history: 5 }, "error applications[0].history: must be a map of fields"],
  [{ history: { messages: 5 } }, "error applications[0].history.seconds: is missing"],
  [{ history: { seconds: 5 } }, "error applications[0].history.messages: is missing"],
  [{ history: { messages: 10_001, seconds: 5 } }, "error applications[0].history.messages: must be a whole number from 0 to 10000"],
  [{ history: { messages: -1, seconds: 5 } }, "error applications[0].history.messages: must be a whole number from 0 to 10000"],
  [{ history: { messages: 5, seconds: 2_592_001 } }, "error applications[0].history.seconds: must be a whole number from 0 to 2592000"],
  [{ history: { messages: 5, seconds: "60" } }, "error applications[0].history.seconds: must be a whole number from 0 to 2592000"],
  [{ history: { messages: 5, seconds: 5, second: 1 } }, "error applications[0].history.second: unknown field (seconds)"],
  [{ rooms: {} }, "error applications[0].rooms: must be a list"],
  [{ rooms: ["news:"] }, "error applications[0].rooms[0]: must be a map of fields"],
  [{ rooms: [{}] }, "error applications[0].rooms[0].prefix: is missing"],
  [{ rooms: [{ prefix: 5 }] }, "error applications[0].rooms[0].prefix: must be a text; put it in quotes"],
  [{ rooms: [{ prefix: null }] }, "error applications[0].rooms[0].prefix: must be a text; put it in quotes"],
  [{ rooms: [{ prefix: "a".repeat(257) }] }, "error applications[0].rooms[0].prefix: must have at most 256 characters"],
  [{ rooms: [{ prefix: "a\ud800" }] }, "error applications[0].rooms[0].prefix: must not hold half of a surrogate pair"],
  [{ rooms: [{ prefix: "news:*" }] }, 'error applications[0].rooms[0].prefix: must not hold *: it fits every room that begins with it ("news:")'],
  [{ rooms: [{ prefix: "*" }] }, 'error applications[0].rooms[0].prefix: must not hold *: it fits every room that begins with it ("")'],
  [{ rooms: [{ prefix: "a*b" }] }, "error applications[0].rooms[0].prefix: must not hold *: it fits every room that begins with it"],
  [{ rooms: [{ prefix: "a" }, { prefix: "b" }, { prefix: "a" }] }, 'error applications[0].rooms[2].prefix: "a" is used by a rule before'],
  [{ rooms: [{ prefix: "a" }, { prefix: "b", publish: "everyone" }] }, "error applications[0].rooms[1].publish: must be one of members, anyone, nobody"],
  [{ rooms: [{ prefix: "a", slow: "wait" }] }, "error applications[0].rooms[0].slow: must be one of close, drop_oldest, conflate"],
  [{ rooms: [{ prefix: "a", history: { messages: 5 } }] }, "error applications[0].rooms[0].history.seconds: is missing"],
  [{ rooms: [{ prefix: "a", publishers: "anyone" }] }, "error applications[0].rooms[0].publishers: unknown field (publish)"],
  [{ appKey: "x" }, "error applications[0].appKey: unknown field (app_key)"],
  [{ ["__proto__"]: { enabled: false } }, "error applications[0].__proto__: unknown field"],
];

for (const [change, expected] of wrong) {
  test(`${JSON.stringify(change).slice(0, 80)} is answered: ${expected.slice(6)}`, () => {
    assert.deepEqual(faults({ applications: [{ ...GOOD, ...change }] }), [expected]);
  });
}

test("what is no set is refused at its own place", () => {
  for (const input of [null, "x", 5, true, undefined]) {
    assert.deepEqual(faults(input), ["error applications: must be a list of applications, or a map {revision, applications}"]);
  }
  assert.deepEqual(faults({ revision: 1 }), ["error applications: is missing"]);
  assert.deepEqual(faults({ application: [] }), ["error application: unknown field (applications)", "error applications: is missing"]);
  assert.deepEqual(faults({ applications: {} }), ["error applications: must be a list"]);
  assert.deepEqual(faults({ applications: [5] }), ["error applications[0]: must be a map of fields"]);
  for (const revision of ["", "a b", 1.5, {}, "x".repeat(129)]) assert.match(faults({ revision, applications: [] }).join(), /^error revision: must be/);
});

test("every fault of every application is told at once, with its line", () => {
  const line = (path: readonly (string | number)[]) => path.length + 10;
  const input = [{ app_key: 5, app_secret: "" }, GOOD, { ...GOOD, limits: { x: 1 } }];
  assert.throws(
    () => parseApplications(input, { source: "conf.yaml", now: NOW, path: ["applications"], line }),
    (error: Error) => {
      assert.equal(
        error.message,
        [
          "conf.yaml:13: applications[0].app_key: must be a text; put it in quotes",
          "conf.yaml:13: applications[0].app_secret: must not be empty",
          "conf.yaml:14: applications[2].limits.x: unknown field",
          'conf.yaml:13: applications[2].app_key: "shop" is used by an application before',
        ].join("\n"),
      );
      return true;
    },
  );
});

test("short and shared secrets start with a warning that --strict refuses, unless the application allows them", () => {
  const short = { app_key: "a", app_secret: "0123456789abcdef" };
  assert.deepEqual(
    findings([short]).map(({ severity, strict, message }) => [severity, strict, message]),
    [["warning", true, "has 16 bytes; use at least 32: short secrets can be guessed"]],
  );
  assert.deepEqual(
    findings([{ ...short, allow_short_secrets: true }]).map(({ strict }) => strict),
    [undefined],
  );
  const shared = findings([GOOD, { ...GOOD, app_key: "b" }]);
  assert.deepEqual(
    shared.map(({ severity, strict, key, message }) => [severity, strict, key, message]),
    [["warning", true, "applications[1]", 'has a secret of application "shop": whoever holds it can act in both']],
  );
  assert.deepEqual(
    findings([GOOD, { ...GOOD, app_key: "b", allow_short_secrets: true }]).map(({ strict }) => strict),
    [undefined],
  );
  assert.equal(parse([GOOD, { ...GOOD, app_key: "b" }]).set.apps.size, 2);
});

test("a secret of 32 bytes is long enough, whatever its characters", () => {
  assert.deepEqual(findings([{ app_key: "a", app_secret: "密".repeat(11) }]), []);
});

test("ended secrets are kept and told", () => {
  const ended = { id: "old", secret: OTHER, not_after: "2026-11-22T23:59:59Z" };
  const rotated = { app_key: "a", secrets: [{ id: "new", secret: SECRET }, ended] };
  assert.deepEqual(faults([rotated]), ["warning applications[0].secrets: ended, can be removed: old"]);
  assert.equal(parse([rotated]).set.apps.get("a")?.secrets.length, 2);
  assert.deepEqual(faults([{ app_key: "a", secrets: [ended] }]), ["warning applications[0].secrets: every secret has ended: nobody can connect or push"]);
});

test("an application may be called like a member of every object", () => {
  const keys = ["constructor", "__proto__", "toString", "hasOwnProperty", "用户 & = 😀"];
  const text = JSON.stringify(keys.map((app_key, i) => ({ app_key, app_secret: `${SECRET}${i}` })));
  const { apps } = parse(JSON.parse(text)).set;
  assert.deepEqual([...apps.keys()], keys);
  assert.equal(apps.get("valueOf"), undefined);
  assert.equal(Object.hasOwn(Object.prototype, "app_secret"), false);
});

test("findings never hold a secret", () => {
  const secret = "hunter2hunter2hunter2hunter2hunter2";
  const inputs = [
    [{ app_key: "a", app_secrt: secret }],
    [{ app_key: "a", app_secret: [secret] }],
    [{ app_key: "a", secrets: [secret] }],
    [{ app_key: "a", secrets: { id: secret } }],
    [
      { app_key: "a", app_secret: secret },
      { app_key: "a", app_secret: secret },
    ],
    { revision: [secret], applications: secret },
  ];
  for (const input of inputs) {
    const text = findings(input).map(formatFinding).join();
    assert.notEqual(text, "");
    assert.ok(!text.includes(secret), text);
  }
});

test("without a revision of its own a set is named by a digest of its content, whatever the order", () => {
  const a = { app_key: "a", app_secret: SECRET, enabled: true };
  const b = { app_key: "b", app_secret: OTHER };
  const digest = parse([a, b]).set.revision;
  assert.match(digest, /^sha256-[0-9a-f]{12}$/);
  assert.equal(parse({ applications: [b, { enabled: true, app_secret: SECRET, app_key: "a" }] }).set.revision, digest);
  assert.notEqual(parse([a, { ...b, app_secret: `${OTHER}x` }]).set.revision, digest);
  assert.notEqual(digestRevision(["ab", "c"]), digestRevision(["a", "bc"]));
  assert.equal(parse({ revision: 7, applications: [a] }).set.revision, "7");
});

test("only counted revisions are older or newer", () => {
  assert.ok(isOlder("9", "10") && isOlder("9-ffff", "10-0000"));
  assert.ok(!isOlder("10", "9") && !isOlder("9", "9") && !isOlder("9-a", "9-b"));
  assert.ok(!isOlder("v9", "10") && !isOlder("9abc", "10") && !isOlder("sha256-1", "sha256-2"));
});

test("the published sample secret is a warning where others can connect, an error for --strict everywhere", () => {
  const { set } = parse([{ app_key: "test", app_secret: "j8jasd98efan9sdfj89asjdf" }, GOOD]);
  assert.deepEqual(warnSampleSecret(set, { host: "127.0.0.1", port: 1 }), []);
  assert.match(warnSampleSecret(set, { host: "0.0.0.0", port: 1 }).map(formatFinding).join(), /"test": has the published sample secret and 0\.0\.0\.0/);
  assert.deepEqual(
    refuseSampleSecret(set).map(({ severity, key }) => [severity, key]),
    [["error", 'application "test"']],
  );
});

test("an application called like the label of unknown ones is told", () => {
  assert.match(faults([{ ...GOOD, app_key: "other" }]).join(), /^warning applications\[0\]\.app_key: shares its metrics/);
});
