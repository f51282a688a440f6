// The methods of the client held against openapi.yaml: together they make every request that is described, and no other.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parse } from "yaml";
import type { Xlvein } from "../../sdk-node/src/index.ts";
import { createClient, startScript } from "./scripted-server.ts";

interface OpenApi {
  paths: Record<string, Record<string, { operationId?: string }>>;
}

const api = parse(await readFile(new URL("../../openapi.yaml", import.meta.url), "utf8"), { merge: true }) as OpenApi;
const operations = Object.entries(api.paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, { operationId }]) =>
    operationId ? [{ id: operationId, method: method.toUpperCase(), pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`) }] : [],
  ),
);

const DATA = { text: "hello" };
/** Every method, and the operation that it calls; `undefined`: it makes no request. */
const METHODS: Readonly<Record<string, [operation: string | undefined, call: (client: Xlvein) => unknown]>> = {
  token: [undefined, (client) => client.token("user_1")],
  roomToken: [undefined, (client) => client.roomToken("user_1", "chat:1")],
  connectUrl: [undefined, (client) => client.connectUrl("user_1")],
  push: ["push", (client) => client.push({ account: "user_1", data: DATA })],
  broadcast: ["push", (client) => client.broadcast(DATA)],
  "rooms.publish": ["push", (client) => client.rooms.publish("chat:1", DATA)],
  pushMany: ["pushMany", (client) => client.pushMany([{ account: "user_1", data: DATA }])],
  classicPush: ["classicPush", (client) => client.classicPush({ account: "user_1", data: DATA })],
  connections: ["connections", (client) => client.connections("user_1")],
  disconnect: ["disconnect", (client) => client.disconnect("user_1")],
  accountRooms: ["accountRooms", (client) => client.accountRooms("user_1")],
  history: ["accountHistory", (client) => client.history("user_1")],
  "rooms.history": ["roomHistory", (client) => client.rooms.history("chat:1")],
  "rooms.members": ["roomMembers", (client) => client.rooms.members("chat:1").next()],
  "rooms.membersPage": ["roomMembers", (client) => client.rooms.membersPage("chat:1")],
  "rooms.add": ["addRoomMembers", (client) => client.rooms.add("chat:1", "user_1")],
  "rooms.remove": ["removeRoomMembers", (client) => client.rooms.remove("chat:1", "user_1")],
};

test("the methods make every request of openapi.yaml but the WebSocket's, and no other", async (t) => {
  const server = await startScript(t, () => ({ status: 418 }));
  const { client } = createClient(server.url, { retries: 0 });
  const called = new Set<string>();
  for (const [name, [operation, call]] of Object.entries(METHODS)) {
    // The scripted server refuses everything: what counts is the request.
    await Promise.resolve(call(client)).catch(() => {});
    const requests = server.received.splice(0);
    assert.equal(requests.length, operation === undefined ? 0 : 1, name);
    for (const { method, path } of requests) {
      const found = operations.find((each) => each.method === method && each.pattern.test(path));
      assert.equal(found?.id, operation, `${name} asks ${method} ${path}`);
      called.add(String(found?.id));
    }
  }
  assert.deepEqual([...called].sort(), operations.flatMap(({ id }) => (id === "connect" ? [] : id)).sort());
});

test("the list above is every method of the client", () => {
  const { client } = createClient("http://127.0.0.1:1");
  const names = Object.entries(client).flatMap(([name, value]) =>
    typeof value === "function" ? name : Object.keys(value as object).map((inner) => `${name}.${inner}`),
  );
  assert.deepEqual(names.sort(), Object.keys(METHODS).sort());
});
