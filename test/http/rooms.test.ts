// Rooms over HTTP with a real server and clients of both protocols: who receives, who does not, and what is read back.
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { apiToken, connect, tokenFor } from "../helpers/client.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { connectV2 } from "../helpers/v2-client.ts";

const ROOM = "房间/1 😀";
const ROOM_PATH = `/api/v1/rooms/${encodeURIComponent(ROOM)}`;

/** A call of the API; answers the status and the parsed body, if there is one. */
async function call(url: string, path: string, body?: object | string) {
  const response = await fetch(url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${apiToken()}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

for (const store of ["memory", "redis"] as const) {
  const start = async (t: TestContext, history = { messages: 100, seconds: 300 }) => {
    if (store === "memory") return startServer(t, { config: { store: { history } } });
    return startServer(t, { config: { exchange: { type: "redis", redis: (await startRedis(t)).url }, store: { type: "redis", history } } });
  };

  describe(`with the ${store} store`, () => {
    test("a push to accounts, a room and everyone reaches each stream once, and its answer says where", async (t) => {
      const { url } = await start(t);
      const v2 = await connectV2(t, url, { account: "alice", claims: { rooms: [ROOM] } });
      assert.equal((await v2.request({ op: "sub", room: ROOM })).op, "reply");
      const classic = await connect(t, url, { token: tokenFor("bob", SECRET, { rooms: [ROOM] }) });
      const data = '{"id":12345678901234567890, "t":1.0}';
      const push = `{"everyone":true,"rooms":[${JSON.stringify(ROOM)}],"accounts":["bob","alice"],"data":${data},"key":"k","trace":"t-1"}`;
      const { status, body } = await call(url, "/api/v1/messages", push);
      assert.equal(status, 200);
      const streams = body["streams"] as { account?: string; room?: string; epoch: string; offset: number }[];
      assert.deepEqual(
        streams.map(({ account, room, offset }) => ({ account, room, offset })),
        [
          { account: "bob", room: undefined, offset: 1 },
          { account: "alice", room: undefined, offset: 1 },
          { account: undefined, room: ROOM, offset: 1 },
          { account: undefined, room: undefined, offset: 1 },
        ],
      );
      const texts = [await v2.nextText(), await v2.nextText(), await v2.nextText()];
      for (const text of texts) assert.ok(text.includes(`"data":${data},`), text);
      const received = texts.map((text) => JSON.parse(text) as { to?: string; room?: string; send_at: number });
      const common = { data: JSON.parse(data) as object, msg_id: body["msg_id"], key: "k", trace: "t-1", offset: 1, send_at: received[0]?.send_at };
      const kind = ({ to, room }: { to?: string; room?: string }) => (to === undefined ? (room === undefined ? 2 : 1) : 0);
      assert.deepEqual(
        received.sort((a, b) => kind(a) - kind(b)),
        [
          { ...common, to: "alice", event: 0, epoch: streams[1]?.epoch },
          { ...common, room: ROOM, event: 2, conversation_id: ROOM, epoch: streams[2]?.epoch },
          { ...common, event: 0, epoch: streams[3]?.epoch },
        ],
      );
      const frames = [await classic.next(), await classic.next(), await classic.next()].map(({ to, event }) => `${event} ${to}`);
      assert.deepEqual(frames.sort(), ["0 bob", "0 bob", `2 ${ROOM}`]);
    });

    test("the connection that caused a message is not sent it, and finds it in the history", async (t) => {
      const { url } = await start(t);
      const [cause, other] = [await connectV2(t, url, { claims: { rooms: ["r"] } }), await connectV2(t, url, { claims: { rooms: ["r"] } })];
      for (const client of [cause, other]) await client.request({ op: "sub", room: "r" });
      await call(url, "/api/v1/messages", { rooms: ["r"], data: { n: 1 }, exclude: cause.hello["connection_id"] });
      await call(url, "/api/v1/messages", { rooms: ["r"], data: { n: 2 } });
      assert.deepEqual((await cause.next()).data, { n: 2 });
      assert.deepEqual([(await other.next()).data, (await other.next()).data], [{ n: 1 }, { n: 2 }]);
      const { messages } = (await call(url, "/api/v1/rooms/r/history")).body as { messages: { data: object }[] };
      assert.deepEqual(
        messages.map(({ data }) => data),
        [{ n: 1 }, { n: 2 }],
      );
    });

    test("clients are told when they are added and removed, and receive only in between", async (t) => {
      const { url } = await start(t);
      const v2 = await connectV2(t, url, { account: "alice" });
      assert.equal((await v2.request({ op: "sub", room: ROOM }))["code"], 1011);
      assert.equal((await call(url, `${ROOM_PATH}/members`, { accounts: ["alice", "bob"] })).status, 204);
      assert.deepEqual(await v2.next(), { op: "sub", room: ROOM });
      assert.equal((await v2.request({ op: "sub", room: ROOM })).op, "reply");
      assert.deepEqual((await call(url, "/api/v1/accounts/alice/rooms")).body, { rooms: [ROOM] });
      assert.deepEqual((await call(url, `${ROOM_PATH}/members?limit=1`)).body, { members: ["alice"], next: "alice" });
      assert.deepEqual((await call(url, `${ROOM_PATH}/members?limit=1&cursor=alice`)).body, { members: ["bob"] });
      await call(url, "/api/v1/messages", { rooms: [ROOM], data: { n: 1 } });
      assert.deepEqual((await v2.next()).data, { n: 1 });
      assert.equal((await call(url, `${ROOM_PATH}/members/remove`, { accounts: ["alice", "nobody"] })).status, 204);
      assert.deepEqual(await v2.next(), { op: "unsub", room: ROOM, reason: "removed" });
      await call(url, "/api/v1/messages", { rooms: [ROOM], data: { n: 2 } });
      await call(url, "/api/v1/messages", { accounts: ["alice"], data: { n: 3 } });
      assert.deepEqual((await v2.next()).data, { n: 3 });
      assert.deepEqual((await call(url, `${ROOM_PATH}/members`)).body, { members: ["bob"] });
    });

    test("an account is in at most 1,000 rooms", async (t) => {
      const { url } = await start(t);
      for (let first = 0; first < 1_000; first += 50) {
        const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => call(url, `/api/v1/rooms/r${first + i}/members`, { accounts: ["alice"] })));
        assert.ok(answers.every(({ status }) => status === 204));
      }
      const { status, body } = await call(url, "/api/v1/rooms/one-more/members", { accounts: ["alice"] });
      assert.deepEqual([status, body["code"], body["retryable"]], [429, 1013, false]);
      assert.equal((await call(url, "/api/v1/rooms/r7/members", { accounts: ["alice"] })).status, 204, "being added again does no harm");
      await call(url, "/api/v1/rooms/r7/members/remove", { accounts: ["alice"] });
      assert.equal((await call(url, "/api/v1/rooms/one-more/members", { accounts: ["alice"] })).status, 204);
      assert.equal(((await call(url, "/api/v1/accounts/alice/rooms")).body["rooms"] as string[]).length, 1_000);
    });

    test("history is read in pages without a hole or a repeat, whatever the size of the messages", async (t) => {
      const { url } = await start(t);
      const filler = "x".repeat(60_000);
      for (let n = 1; n <= 40; n++) await call(url, "/api/v1/messages", { accounts: ["a"], data: n % 2 === 0 ? { n } : { n, filler } });
      interface Page {
        messages: { offset: number; epoch: string; data: { n: number } }[];
        position: { epoch: string; offset: number; msg_id: string };
        more: boolean;
      }
      const read = async (query: string) => {
        const { status, text, body } = await call(url, `/api/v1/accounts/a/history?limit=1000${query}`);
        assert.equal(status, 200);
        assert.ok(text.length < 1_100_000, `${text.length} bytes`);
        return body as unknown as Page;
      };
      const newest = await read("");
      assert.deepEqual([newest.more, newest.position.offset, newest.messages.at(-1)?.offset], [true, 40, 40]);
      const all = (pages: Page[]) => pages.flatMap(({ messages }) => messages.map(({ data }) => data.n));
      const numbers = Array.from({ length: 40 }, (_, i) => i + 1);
      const backwards = [newest];
      while (backwards[0]?.more) backwards.unshift(await read(`&before=${backwards[0].messages[0]?.offset}`));
      assert.deepEqual(all(backwards), numbers);
      const { epoch } = newest.position;
      const forwards = [await read(`&after=${epoch}:0`)];
      while (forwards.at(-1)?.more) forwards.push(await read(`&after=${epoch}:${forwards.at(-1)?.messages.at(-1)?.offset}`));
      assert.deepEqual(all(forwards), numbers);
      assert.ok(forwards.length > 1 && backwards.length > 1);
    });

    test("what is no longer kept, or never was, is gone: 410", async (t) => {
      const { url } = await start(t, { messages: 5, seconds: 300 });
      for (let n = 1; n <= 8; n++) await call(url, "/api/v1/messages", { rooms: ["r"], data: { n } });
      const { position } = (await call(url, "/api/v1/rooms/r/history")).body as { position: { epoch: string } };
      const after = async (place: string) => {
        const { status, body } = await call(url, `/api/v1/rooms/r/history?after=${place}`);
        return [status, body["code"] ?? (body["messages"] as { offset: number }[]).map(({ offset }) => offset)];
      };
      assert.deepEqual(await after(`${position.epoch}:3`), [200, [4, 5, 6, 7, 8]]);
      assert.deepEqual(await after(`${position.epoch}:8`), [200, []]);
      assert.deepEqual(await after(`${position.epoch}:2`), [410, 1012]);
      assert.deepEqual(await after(`${position.epoch}:9`), [410, 1012]);
      assert.deepEqual(await after(`another:3`), [410, 1012]);
    });
  });
}
