// The same scenarios against the real server and against the fake one of `@xlvein/browser/testing`: what holds for one holds for the other.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Client, type ClientEvents, type ClientOptions, createClient, type Message } from "../../sdk-browser/src/index.ts";
import { createFakeServer, type FakePush, type TokenRights } from "../../sdk-browser/src/testing.ts";
import { apiToken, tokenFor } from "../helpers/client.ts";
import { APPLICATIONS, SECRET, startServer } from "../helpers/server.ts";
import { FakePage } from "./doubles.ts";

interface Backend {
  readonly options: Pick<ClientOptions, "url" | "WebSocket">;
  token(account: string, rights?: TokenRights): string;
  roomToken(account: string, room: string): string;
  push(message: FakePush): Promise<void>;
  addMember(room: string, account: string): Promise<void>;
  removeMember(room: string, account: string): Promise<void>;
  /** Closes the account's connections as a backend does. */
  kick(account: string): Promise<void>;
}

/** How many messages a stream keeps in both. */
const KEPT = 5;

async function real(t: TestContext): Promise<Backend> {
  const { url } = await startServer(t, { applications: [{ ...APPLICATIONS[0], history: { messages: KEPT, seconds: 300 } }] });
  async function post(path: string, body: object): Promise<void> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${apiToken()}` };
    const answer = await fetch(`${url}/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
  }
  return {
    options: { url },
    token: (account, { rooms, can, expiresInSeconds } = {}) => {
      const exp = expiresInSeconds === undefined ? {} : { iat: Math.floor(Date.now() / 1000) - 3600 + expiresInSeconds };
      return tokenFor(account, SECRET, { ...(rooms && { rooms }), ...(can && { can }), ...exp });
    },
    roomToken: (account, room) => tokenFor(account, SECRET, { aud: "xlvein-room", room }),
    push: (message) => post("messages", message),
    addMember: (room, account) => post(`rooms/${encodeURIComponent(room)}/members`, { accounts: [account] }),
    removeMember: (room, account) => post(`rooms/${encodeURIComponent(room)}/members/remove`, { accounts: [account] }),
    kick: (account) => post(`accounts/${account}/disconnect`, {}),
  };
}

async function fake(t: TestContext): Promise<Backend> {
  const server = createFakeServer({ history: KEPT });
  t.after(() => server.close());
  return {
    options: { url: "https://fake.example.com", WebSocket: server.WebSocket },
    token: server.token,
    roomToken: (account, room) => server.roomToken(account, room, { expiresInSeconds: 3600 }),
    push: async (message) => void server.push(message),
    addMember: async (room, account) => server.addMember(room, account),
    removeMember: async (room, account) => server.removeMember(room, account),
    kick: async (account) => {
      for (const connection of server.connections) if (connection.account === account) connection.close(4010);
    },
  };
}

/** What a scenario works with: clients that are closed when the test ends. */
function stage(t: TestContext, backend: Backend) {
  function make(account: string, rights: TokenRights = {}, more: Partial<ClientOptions> = {}) {
    const page = new FakePage();
    const client = createClient({ ...backend.options, appKey: "test", token: backend.token(account, rights), page, ...more });
    t.after(() => client.close());
    const messages: Message[] = [];
    client.on("message", (message) => messages.push(message));
    return {
      client,
      messages,
      /** The numbers `n` of what has arrived. */
      numbers: () => messages.map(({ data }) => data["n"]),
      away: () => page.fire("pagehide"),
      back: async () => {
        const connected = next(client, "state", ({ state }) => state === "connected");
        page.fire("pageshow");
        await connected;
      },
    };
  }
  return { ...backend, make };
}
type Stage = ReturnType<typeof stage>;

/** The next event that fits. */
function next<Name extends keyof ClientEvents>(client: Client, event: Name, fits: (value: ClientEvents[Name]) => boolean = () => true) {
  return new Promise<ClientEvents[Name]>((resolve) => {
    const off = client.on(event, (value) => {
      if (!fits(value)) return;
      off();
      resolve(value);
    });
  });
}

/** Resolves with the message that has this number. */
const numbered = (client: Client, n: unknown) => next(client, "message", ({ data }) => data["n"] === n);

const scenarios: Record<string, (stage: Stage) => Promise<void>> = {
  "a push to the account and one to everyone arrive, each in its stream": async ({ make, push }) => {
    const { client, messages } = make("alice");
    await client.connect();
    assert.match(client.connectionId ?? "", /./);
    const second = numbered(client, 2);
    await push({ accounts: ["alice"], data: { n: 1 }, key: "k" });
    await push({ everyone: true, data: { n: 2 } });
    await second;
    const [one, two] = messages;
    assert.deepEqual([one?.to, one?.room, one?.from, one?.event, one?.offset, one?.key], ["alice", undefined, undefined, 0, 1, "k"]);
    assert.deepEqual([two?.to, two?.room, two?.event, two?.offset], [undefined, undefined, 0, 1]);
    assert.ok(one?.epoch && two?.epoch);
    assert.ok(Math.abs((one?.sendAt ?? 0) - Date.now()) < 60_000);
  },

  "a send is acknowledged with its place and arrives with its sender": async ({ make }) => {
    const [alice, bob] = [make("alice"), make("bob")];
    await Promise.all([alice.client.connect(), bob.client.connect()]);
    const arrived = numbered(bob.client, 1);
    const ack = await alice.client.send("bob", { n: 1 });
    const message = await arrived;
    assert.deepEqual(ack, { msgId: message.msgId, duplicate: false, epoch: message.epoch, offset: message.offset });
    assert.deepEqual([message.from, message.to, message.event, message.conversationId], ["alice", "bob", 1, "bob"]);
    assert.deepEqual(alice.messages, []);
  },

  "a room is entered by a token's pattern; its messages reach all in it, the sender too unless it wants not": async ({ make, push }) => {
    const [alice, bob] = [make("alice", { rooms: ["chat:*"] }), make("bob", { rooms: ["chat:1"] })];
    const [a, b] = [alice.client.room("chat:1"), bob.client.room("chat:1")];
    await Promise.all([alice.client.connect(), bob.client.connect(), a.subscribe(), b.subscribe()]);
    assert.equal((await a.send({ n: 1 })).offset, 1);
    assert.equal((await a.send({ n: 2 }, { excludeSelf: true })).offset, 2);
    const third = Promise.all([numbered(alice.client, 3), numbered(bob.client, 3)]);
    await push({ rooms: ["chat:1"], data: { n: 3 }, exclude: "nobody" });
    const [pushed] = await third;
    assert.deepEqual(
      [alice.numbers(), bob.numbers()],
      [
        [1, 3],
        [1, 2, 3],
      ],
    );
    const [own] = alice.messages;
    assert.deepEqual([own?.room, own?.to, own?.from, own?.event, own?.conversationId, own?.offset], ["chat:1", undefined, "alice", 2, "chat:1", 1]);
    assert.deepEqual([pushed.from, pushed.event, pushed.room, pushed.offset], [undefined, 2, "chat:1", 3]);
    await a.unsubscribe();
    const fourth = numbered(bob.client, 4);
    await b.send({ n: 4 });
    await fourth;
    assert.deepEqual(alice.numbers(), [1, 3]);
  },

  "a room that nobody opened is refused (1011), and membership is told as it comes and goes": async ({ make, addMember, removeMember }) => {
    const { client } = make("alice");
    await client.connect();
    const room = client.room("club");
    const announced = next(client, "error");
    await assert.rejects(room.subscribe(), { code: "refused", serverCode: 1011, room: "club" });
    assert.equal((await announced).serverCode, 1011);
    await assert.rejects(room.send({}), { code: "refused", serverCode: 1011 });
    const added = next(client, "membership");
    await addMember("club", "alice");
    assert.deepEqual({ ...(await added) }, { room: "club", member: true, reason: undefined });
    await room.subscribe();
    const removed = next(client, "membership");
    await removeMember("club", "alice");
    assert.deepEqual({ ...(await removed) }, { room: "club", member: false, reason: "removed" });
    assert.equal(room.subscribed, false);
  },

  "a room token opens its room to its account": async ({ make, roomToken }) => {
    const { client } = make("alice");
    await client.connect();
    await client.room("one", { token: () => roomToken("alice", "one") }).subscribe();
    await assert.rejects(client.room("two", { token: roomToken("alice", "one") }).subscribe(), { serverCode: 1000 });
    await assert.rejects(client.room("three", { token: roomToken("bob", "three") }).subscribe(), { serverCode: 1000 });
    await assert.rejects(client.room("four").subscribe(), { serverCode: 1011 });
  },

  "what was missed in account, application and room follows in order, without one's own": async ({ make, push }) => {
    const alice = make("alice", { rooms: ["*"] });
    const room = alice.client.room("r");
    await Promise.all([alice.client.connect(), room.subscribe()]);
    await room.send({ n: 1 }, { excludeSelf: true });
    alice.away();
    for (const n of [2, 3]) {
      await push({ accounts: ["alice"], data: { n: n * 10 } });
      await push({ everyone: true, data: { n: n * 100 } });
      await push({ rooms: ["r"], data: { n } });
    }
    const gaps: unknown[] = [];
    alice.client.on("gap", (gap) => gaps.push(gap));
    const all = Promise.all([30, 300, 3].map((n) => numbered(alice.client, n)));
    await alice.back();
    await all;
    const of = (fits: (message: Message) => unknown) => alice.messages.filter(fits).map(({ data }) => data["n"]);
    assert.deepEqual(
      of(({ to }) => to),
      [20, 30],
    );
    assert.deepEqual(
      of(({ room }) => room),
      [2, 3],
    );
    assert.deepEqual(
      of(({ to, room }) => !to && !room),
      [200, 300],
    );
    assert.deepEqual(gaps, []);
  },

  "more missed than is kept is a gap (too_old), and the client goes on from there": async ({ make, push }) => {
    const { client, numbers, away, back } = make("alice");
    await client.connect();
    away();
    for (let n = 0; n <= KEPT; n++) await push({ accounts: ["alice"], data: { n } });
    const gap = next(client, "gap");
    await back();
    assert.deepEqual({ ...(await gap) }, { stream: "account", reason: "too_old", from: undefined, to: undefined });
    const live = numbered(client, "live");
    await push({ accounts: ["alice"], data: { n: "live" } });
    await live;
    assert.deepEqual(numbers(), ["live"]);
    away();
    await push({ accounts: ["alice"], data: { n: "again" } });
    const again = numbered(client, "again");
    await back();
    await again;
  },

  "history is read forwards, backwards and from the end": async ({ make, push }) => {
    const { client } = make("alice");
    await client.connect();
    for (let n = 1; n <= KEPT + 2; n++) await push({ accounts: ["alice"], data: { n } });
    const read = async (query?: Parameters<Client["history"]>[0]) => {
      const { messages, more, position } = await client.history(query);
      return [messages.map(({ offset }) => offset), more, position.offset];
    };
    assert.deepEqual(await read(), [[3, 4, 5, 6, 7], false, 7]);
    assert.deepEqual(await read({ limit: 2 }), [[6, 7], true, 7]);
    assert.deepEqual(await read({ limit: 2, before: 6 }), [[4, 5], true, 7]);
    const [oldest] = (await client.history()).messages;
    assert.deepEqual(await read({ after: oldest, limit: 3 }), [[4, 5, 6], true, 7]);
    assert.deepEqual(await read({ after: (await client.history()).position }), [[], false, 7]);
    await assert.rejects(client.history({ after: { epoch: oldest?.epoch, offset: 1 } }), { code: "refused", serverCode: 1012 });
    await assert.rejects(client.history({ after: { epoch: "other", offset: 5 } }), { code: "refused", serverCode: 1012 });
    await assert.rejects(client.history({ limit: 1_001 }), { code: "refused", serverCode: 400 });
    assert.deepEqual((await client.history({ stream: "app" })).messages, []);
  },

  "rights that the token leaves out are refused (1004)": async ({ make }) => {
    const { client } = make("alice", { can: [], rooms: ["r"] });
    const room = client.room("r");
    await Promise.all([client.connect(), room.subscribe()]);
    for (const asked of [client.send("bob", {}), room.send({}), client.history()]) await assert.rejects(asked, { code: "refused", serverCode: 1004 });
  },

  "a token of nobody stops the client with 4007, an expired one is replaced": async ({ make, token }) => {
    const one = make("alice", {}, { token: "nonsense" });
    await assert.rejects(one.client.connect(), { code: "stopped", closeCode: 4007 });
    const reasons: string[] = [];
    const two = make(
      "alice",
      {},
      {
        token: token("alice", { expiresInSeconds: -60 }),
        getToken: ({ reason }) => {
          reasons.push(reason);
          return token("alice");
        },
      },
    );
    await two.client.connect();
    assert.deepEqual(reasons, ["refused"]);
  },

  "a token is renewed on the live connection, and rooms that the new one does not open are left": async ({ make, token }) => {
    const { client } = make(
      "alice",
      {},
      {
        token: token("alice", { expiresInSeconds: 7, rooms: ["a", "b"] }),
        getToken: () => token("alice", { rooms: ["b"] }),
      },
    );
    const [a, b] = [client.room("a"), client.room("b")];
    await Promise.all([client.connect(), a.subscribe(), b.subscribe()]);
    const { connectionId } = client;
    const left = await next(client, "membership");
    assert.deepEqual({ ...left }, { room: "a", member: false, reason: "not_authorised" });
    assert.deepEqual([a.subscribed, b.subscribed, client.connectionId], [false, true, connectionId]);
  },

  "a client that the backend disconnects stays away": async ({ make, kick }) => {
    const { client } = make("alice");
    await client.connect();
    const closed = next(client, "state", ({ state }) => state === "closed");
    await kick("alice");
    const { reason } = await closed;
    assert.deepEqual([reason?.code, reason?.closeCode], ["stopped", 4010]);
  },
};

for (const [server, start] of Object.entries({ real, fake }))
  for (const [name, scenario] of Object.entries(scenarios))
    test(`the ${server} server: ${name}`, { timeout: 30_000 }, async (t) => scenario(stage(t, await start(t))));
