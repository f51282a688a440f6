// Listing and closing an account's connections: the requests, and how accounts travel in a path.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, startScript } from "./scripted-server.ts";

test("connections are listed in the package's spelling", async (t) => {
  const server = await startScript(t, [
    {
      body: {
        connections: [
          { connection_id: "c-1", protocol: "classic", connected_at: 1_795_412_345_678, device_id: "phone-1" },
          { connection_id: "c-2", protocol: "classic", connected_at: 1_795_412_345_679 },
        ],
      },
    },
  ]);
  assert.deepEqual(await createClient(server.url).client.connections("user_1"), [
    { connectionId: "c-1", protocol: "classic", connectedAt: 1_795_412_345_678, deviceId: "phone-1" },
    { connectionId: "c-2", protocol: "classic", connectedAt: 1_795_412_345_679 },
  ]);
  const [request] = server.received;
  assert.deepEqual([request?.method, request?.path, request?.text], ["GET", "/api/v1/accounts/user_1/connections", ""]);
  assert.equal(request?.headers["content-type"], undefined);
  assert.match(request?.headers.authorization ?? "", /^Bearer eyJ/);
});

for (const body of [{}, { connections: {} }, { connections: [{ connection_id: 7 }] }, [], "no json"]) {
  test(`${JSON.stringify(body)} is not taken for a list of connections`, async (t) => {
    const server = await startScript(t, [{ body }]);
    await assert.rejects(createClient(server.url).client.connections("user_1"), /connections: HTTP 200 with a body that is not xlvein's/);
  });
}

test("a character cut in two by the network is whole again", async () => {
  const bytes = Buffer.from('{"connections":[{"connection_id":"c","protocol":"classic","connected_at":1,"device_id":"电话"}]}');
  const cut = bytes.indexOf(Buffer.from("话")) + 1;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(bytes.subarray(0, cut));
      controller.enqueue(bytes.subarray(cut));
      controller.close();
    },
  });
  const { client } = createClient("http://127.0.0.1:1", { fetch: async () => new Response(body) });
  assert.equal((await client.connections("user_1"))[0]?.deviceId, "电话");
});

test("disconnect closes all connections of an account, or one", async (t) => {
  const server = await startScript(t, () => ({ status: 202 }));
  const { client } = createClient(server.url);
  assert.equal(await client.disconnect("user_1"), undefined);
  assert.equal(await client.disconnect("user_1", { connectionId: "c-1" }), undefined);
  assert.deepEqual(
    server.received.map(({ method, path, text }) => [method, path, text]),
    [
      ["POST", "/api/v1/accounts/user_1/disconnect", "{}"],
      ["POST", "/api/v1/accounts/user_1/disconnect", '{"connection_id":"c-1"}'],
    ],
  );
});

test("any account travels in a path and stays one segment", async (t) => {
  const server = await startScript(t, () => ({ body: { connections: [] } }));
  const { client } = createClient(server.url);
  for (const account of ["a/b", "a?b#c", "用户 & 😀", "%2e", "..%2f", "...", "$&", " "]) {
    await client.connections(account);
    const segment = server.received.at(-1)?.path.match(/^\/api\/v1\/accounts\/([^/?#]+)\/connections$/)?.[1];
    assert.equal(decodeURIComponent(segment ?? ""), account);
  }
});

test("what no path can carry is refused before it is sent", async (t) => {
  const server = await startScript(t, []);
  const { client } = createClient(server.url);
  await assert.rejects(client.connections(".."), /^TypeError: connections: the account "\.\." cannot stand in a URL/);
  await assert.rejects(client.disconnect("."), /^TypeError: disconnect: the account "\." cannot stand in a URL/);
  await assert.rejects(client.connections("\ud800"), /^TypeError: connections: account holds half of a surrogate pair/);
  await assert.rejects(client.connections(""), /^TypeError: connections: account must be a non-empty string/);
  await assert.rejects(client.disconnect("user_1", { connectionId: "" }), /^TypeError: disconnect: connectionId must be a non-empty string/);
  assert.equal(server.received.length, 0);
});
