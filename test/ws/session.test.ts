// A session of the full protocol among doubles: the order of its ops, what it does while it waits, and what it tells when things fail.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { App } from "../../server/src/apps/app.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Published } from "../../server/src/publish/publish.ts";
import { createFixture, gate } from "./fixture.ts";

const outage = () => new XlveinError(ErrorCode.STORE_UNAVAILABLE, "the store does not answer");

describe("a session's start", () => {
  it("says hello once it is in both streams, and only then does what the client has asked meanwhile", async () => {
    const fixture = createFixture();
    const joined = gate<void>();
    fixture.onJoin = ({ kind }) => (kind === "app" ? joined.promise : Promise.resolve());
    const started = fixture.start();
    fixture.receive({ op: "ping", id: 1 });
    await turn();
    assert.deepEqual(fixture.sent, []);
    joined.open();
    await started;
    await turn();
    assert.deepEqual(fixture.ops(), ["hello", "pong"]);
    assert.deepEqual(fixture.events.slice(0, 5), ["join account", "join app", "hello", "go account", "go app"]);
  });

  it("names the rooms of the backend in hello, with what changed while they were read", async () => {
    const fixture = createFixture();
    const read = gate<readonly string[]>();
    fixture.roomsOf = () => read.promise;
    const started = fixture.start();
    fixture.session.membership("new", true);
    fixture.session.membership("old", false);
    read.open(["old", "stays"]);
    await started;
    assert.deepEqual(new Set(fixture.sent[0]?.["rooms"] as string[]), new Set(["new", "stays"]));
    assert.deepEqual(fixture.ops(), ["hello"], "before hello nothing else is told");
  });

  it("goes on without the rooms when the store does not name them, and asks again when one is wanted", async () => {
    const fixture = createFixture();
    fixture.roomsOf = () => Promise.reject(outage());
    await fixture.start();
    assert.deepEqual(fixture.sent[0]?.["rooms"], []);
    assert.equal(fixture.notEntered("store"), 1);
    const refused = await fixture.ask({ op: "sub", id: 1, room: "given" });
    assert.deepEqual([refused["code"], refused["retryable"]], [1008, true], "nobody is told that it may not enter by a store that does not answer");
    fixture.roomsOf = () => Promise.resolve(["given"]);
    assert.equal((await fixture.ask({ op: "sub", id: 2, room: "given" }))["op"], "reply");
    assert.equal((await fixture.ask({ op: "sub", id: 3, room: "other" }))["code"], 1011);
  });

  it("closes with 4104 when the exchange does not confirm, and with 4103 when it fails itself", async () => {
    const unavailable = createFixture();
    unavailable.onJoin = () => Promise.reject(new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "not confirmed"));
    await unavailable.start();
    assert.deepEqual(unavailable.closedWith, [4104, "not confirmed"]);
    const faulty = createFixture();
    faulty.onJoin = () => Promise.reject(new Error("a bug with a secret in it"));
    await faulty.start();
    assert.deepEqual(faulty.closedWith, [4103, "internal error"]);
  });
});

describe("a session's ops", () => {
  it("are done one after the other: a later answer never comes before an earlier one", async () => {
    const fixture = createFixture();
    await fixture.start();
    const first = gate<Published>();
    const asked: string[] = [];
    fixture.publish = (_app, _targets, { data }) => {
      asked.push(data);
      return asked.length === 1 ? first.promise : Promise.resolve({ msgId: "m2", duplicate: false, positions: [undefined] });
    };
    fixture.receive({ op: "pub", id: 1, to: "bob", data: { n: 1 }, idempotency_key: "k" });
    fixture.receive({ op: "pub", id: 2, to: "bob", data: { n: 2 } });
    fixture.receive({ op: "dance", id: 3 });
    fixture.receive({ op: "ping", id: 4 });
    await turn();
    assert.deepEqual([asked, fixture.ops()], [['{"n":1}'], ["hello"]]);
    first.open({ msgId: "m1", duplicate: false, positions: [{ epoch: "e", offset: 1, previous: "" }] });
    await fixture.until(5);
    assert.deepEqual(fixture.sent.slice(1), [
      { op: "reply", id: 1, msg_id: "m1", duplicate: false, epoch: "e", offset: 1 },
      { op: "reply", id: 2, msg_id: "m2", duplicate: false },
      { op: "error", id: 3, code: 1010, message: "op: this server has no such op", retryable: false },
      { op: "pong", id: 4 },
    ]);
  });

  it("stop being read when 64 wait, and are read again when none does", async () => {
    const fixture = createFixture();
    await fixture.start();
    const first = gate<Published>();
    let published = 0;
    fixture.publish = () => (++published === 1 ? first.promise : Promise.resolve({ msgId: `m${published}`, duplicate: false, positions: [undefined] }));
    for (let id = 0; id < 65; id++) fixture.receive({ op: "pub", id, to: "bob", data: {} });
    assert.deepEqual(fixture.socketCalls, []);
    for (let id = 65; id < 70; id++) fixture.receive({ op: "pub", id, to: "bob", data: {} });
    assert.deepEqual(fixture.socketCalls, ["pause"]);
    first.open({ msgId: "m", duplicate: false, positions: [undefined] });
    await fixture.until(71);
    await turn();
    assert.deepEqual(fixture.socketCalls, ["pause", "resume"]);
    assert.deepEqual(
      fixture.sent.slice(1).map(({ id }) => id),
      Array.from({ length: 70 }, (_, id) => id),
    );
  });

  it("go on while a history waits for the socket; a second history keeps what follows waiting", async () => {
    const fixture = createFixture();
    await fixture.start();
    const drained = gate<boolean>();
    fixture.drained = () => drained.promise;
    fixture.receive({ op: "history", id: "h1", stream: "account" });
    fixture.receive({ op: "ping", id: "p1" });
    fixture.receive({ op: "history", id: "h2", stream: "app" });
    fixture.receive({ op: "ping", id: "p2" });
    await turn();
    assert.deepEqual(fixture.ids(), ["p1"]);
    drained.open(true);
    await fixture.until(5);
    assert.deepEqual(new Set(fixture.ids()), new Set(["p1", "h1", "h2", "p2"]));
    assert.ok(fixture.ids().indexOf("h1") < fixture.ids().indexOf("h2"));
  });

  it("send no history into a room that was left while it waited", async () => {
    const fixture = createFixture({ rooms: ["r"] });
    await fixture.start();
    await fixture.ask({ op: "sub", id: 1, room: "r" });
    const drained = gate<boolean>();
    fixture.drained = () => drained.promise;
    fixture.receive({ op: "history", id: "h", room: "r" });
    fixture.receive({ op: "unsub", id: "u", room: "r" });
    await fixture.answer("u");
    drained.open(true);
    assert.equal((await fixture.answer("h"))["code"], 1011);
  });

  it("answer with what went wrong, and tell nobody about faults of the server's own", async () => {
    const fixture = createFixture();
    await fixture.start();
    fixture.publish = () => Promise.reject(new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "not confirmed"));
    const refused = await fixture.ask({ op: "pub", id: 1, to: "bob", data: {} });
    assert.deepEqual(refused, { op: "error", id: 1, code: 1007, message: "not confirmed", retryable: true, retry_after_ms: 1_000 });
    fixture.publish = () => Promise.reject(new Error("a secret"));
    const failed = await fixture.ask({ op: "pub", id: 2, to: "bob", data: {} });
    assert.deepEqual([failed["code"], failed["message"], failed["retryable"]], [500, "internal error", true]);
  });

  it("are forgotten when the socket has gone", async () => {
    const fixture = createFixture();
    await fixture.start();
    const first = gate<Published>();
    let published = 0;
    fixture.publish = () => {
      published++;
      return first.promise;
    };
    for (const id of [1, 2, 3]) fixture.receive({ op: "pub", id, to: "bob", data: {} });
    fixture.open = false;
    fixture.session.end();
    first.open({ msgId: "m", duplicate: false, positions: [undefined] });
    await turn();
    assert.equal(published, 1);
  });

  it("do not enter a room for a connection that has gone", async () => {
    const fixture = createFixture();
    fixture.roomsOf = () => Promise.reject(outage());
    await fixture.start();
    const read = gate<readonly string[]>();
    fixture.roomsOf = () => read.promise;
    fixture.receive({ op: "sub", id: 1, room: "r" });
    await turn();
    fixture.open = false;
    fixture.session.end();
    read.open(["r"]);
    await turn();
    assert.ok(!fixture.events.includes("join room r"));
  });
});

describe("a session's rooms", () => {
  it("are left when the backend removes the account, unless the token opens them, also when that happens while it enters", async () => {
    const fixture = createFixture({ rooms: ["token:*"] });
    await fixture.start();
    for (const room of ["given", "token:1"]) fixture.session.membership(room, true);
    for (const [id, room] of ["given", "token:1"].entries()) assert.equal((await fixture.ask({ op: "sub", id, room }))["op"], "reply");
    for (const room of ["given", "token:1"]) fixture.session.membership(room, false);
    assert.deepEqual(
      fixture.sent.filter(({ op }) => op === "unsub"),
      [{ op: "unsub", room: "given", reason: "removed" }],
    );
    assert.deepEqual(
      fixture.events.filter((event) => event.startsWith("leave")),
      ["leave room given"],
    );

    fixture.session.membership("late", true);
    const joined = gate<void>();
    fixture.onJoin = () => joined.promise;
    fixture.receive({ op: "sub", id: "late", room: "late" });
    await turn();
    fixture.session.membership("late", false);
    joined.open();
    assert.equal((await fixture.answer("late"))["code"], 1011);
    assert.equal(fixture.events.at(-1), "leave room late");
  });

  it("are told of once, however often the backend adds the account or the rooms are read again", async () => {
    const fixture = createFixture();
    await fixture.start();
    fixture.session.membership("r", true);
    fixture.session.membership("r", true);
    fixture.session.memberOf(["r"]);
    fixture.session.memberOf(["r", "s"]);
    fixture.session.memberOf(["s"]);
    fixture.session.memberOf([]);
    assert.deepEqual(fixture.sent.slice(1), [
      { op: "sub", room: "r" },
      { op: "sub", room: "s" },
    ]);
  });

  it("are as many as the application allows, and entering one again is not another", async () => {
    const fixture = createFixture({ rooms: ["*"], maxRooms: 2 });
    await fixture.start();
    for (const room of ["a", "b", "a"]) assert.equal((await fixture.ask({ op: "sub", id: room, room }))["op"], "reply");
    assert.equal((await fixture.ask({ op: "sub", id: "c", room: "c" }))["code"], 1013);
    await fixture.ask({ op: "unsub", id: "u", room: "a" });
    assert.equal((await fixture.ask({ op: "sub", id: "c2", room: "c" }))["op"], "reply");
  });
});

describe("a session's limits", () => {
  it("refuse what is over the rate with the time to wait, and end what is ten times over it", async () => {
    const fixture = createFixture({ rate: 2 });
    await fixture.start();
    for (let id = 0; id < 20; id++) fixture.receive({ op: "ping", id });
    await fixture.until(21);
    assert.deepEqual(
      fixture.sent.slice(1, 4).map(({ op, id, code }) => [op, id, code]),
      [
        ["pong", 0, undefined],
        ["pong", 1, undefined],
        ["error", 2, 600],
      ],
    );
    assert.deepEqual([fixture.sent[3]?.["retryable"], fixture.sent[3]?.["retry_after_ms"]], [true, 1_000]);
    assert.equal(fixture.closedWith, undefined);
    fixture.receive({ op: "ping", id: 20 });
    assert.equal(fixture.closedWith?.[0], 4102);
  });

  it("count WebSocket pings, too", async () => {
    const fixture = createFixture({ rate: 1 });
    await fixture.start();
    for (let i = 0; i < 10; i++) fixture.session.pinged();
    assert.equal(fixture.closedWith, undefined);
    fixture.session.pinged();
    assert.equal(fixture.closedWith?.[0], 4102);
  });

  it("end a client of which 21 frames in a row are not the protocol, and one good frame begins the count anew", async () => {
    const fixture = createFixture();
    await fixture.start();
    for (let i = 0; i < 20; i++) fixture.receive("{");
    fixture.receive({ op: "pong" });
    for (let i = 0; i < 20; i++) fixture.receive({ op: "dance", id: i });
    await fixture.until(41);
    assert.equal(fixture.closedWith, undefined);
    fixture.receive("");
    assert.equal(fixture.closedWith?.[0], 4011);
  });
});

describe("a session's pub", () => {
  const app = (rooms: App["rooms"]) => ({ rooms });

  it("needs the right for accounts or for rooms", async () => {
    const fixture = createFixture({ rights: ["history"], rooms: ["r"] });
    await fixture.start();
    await fixture.ask({ op: "sub", id: 0, room: "r" });
    assert.equal((await fixture.ask({ op: "pub", id: 1, to: "bob", data: {} }))["code"], 1004);
    assert.equal((await fixture.ask({ op: "pub", id: 2, room: "r", data: {} }))["code"], 1004);
    assert.equal((await fixture.ask({ op: "history", id: 3, room: "r" }))["op"], "reply");
    const mute = createFixture({ rights: ["direct", "publish"] });
    await mute.start();
    assert.equal((await mute.ask({ op: "history", id: 3, stream: "account" }))["code"], 1004);
  });

  it("goes to a room as the rule for the room says", async () => {
    const rule = (prefix: string, publish: "members" | "anyone" | "nobody") => ({ prefix, publish, history: undefined, slow: undefined });
    const fixture = createFixture({ rooms: ["*"], app: app([rule("open:", "anyone"), rule("news:", "nobody")]) });
    await fixture.start();
    const published: unknown[] = [];
    fixture.publish = (...request) => {
      published.push(request);
      return Promise.resolve({ msgId: "m", duplicate: false, positions: [undefined] });
    };
    assert.equal((await fixture.ask({ op: "pub", id: 1, room: "open:1", data: {} }))["op"], "reply");
    assert.equal((await fixture.ask({ op: "pub", id: 2, room: "chat:1", data: {} }))["code"], 1011);
    for (const room of ["chat:1", "news:1"]) await fixture.ask({ op: "sub", id: room, room });
    assert.equal((await fixture.ask({ op: "pub", id: 3, room: "chat:1", data: {} }))["op"], "reply");
    assert.equal((await fixture.ask({ op: "pub", id: 4, room: "news:1", data: {} }))["code"], 1004);
    assert.equal(published.length, 2);
  });

  it("hands on what the client said, its key as the account's own", async () => {
    const fixture = createFixture();
    await fixture.start();
    const published: unknown[] = [];
    fixture.publish = (...request) => {
      published.push(request);
      return Promise.resolve({ msgId: "m", duplicate: true, positions: [undefined] });
    };
    await fixture.ask({ op: "pub", id: 1, to: "bob", data: { n: 1 }, idempotency_key: "k", key: "c", exclude_self: true, trace: "t" });
    await fixture.ask({ op: "pub", id: 2, to: "bob", data: {}, exclude_self: false });
    assert.deepEqual(published, [
      [
        "test",
        [{ app: "test", kind: "account", name: "bob" }],
        { from: "alice", event: 1, data: '{"n":1}', key: "c", exclude: "connection-1", trace: "t" },
        { kind: "client_key", value: "5:alicek", ttlMs: 300_000, onOtherBody: "refuse" },
      ],
      ["test", [{ app: "test", kind: "account", name: "bob" }], { from: "alice", event: 1, data: "{}" }, undefined],
    ]);
  });
});
