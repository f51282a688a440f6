// Options: what is accepted, and that a wrong one is named.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientOptions, createClient } from "../../sdk-browser/src/index.ts";
import { fakeClient, settle } from "./doubles.ts";

const url = "https://push.example.com";
const ready = "wss://push.example.com/ws/connect?app_id=test&token=abc";

for (const [given, expected] of [
  ["https://push.example.com", "wss://push.example.com/ws/connect?app_id=test"],
  ["http://push.example.com:8090", "ws://push.example.com:8090/ws/connect?app_id=test"],
  ["wss://push.example.com/", "wss://push.example.com/ws/connect?app_id=test"],
  ["ws://push.example.com/prefix/", "ws://push.example.com/prefix/ws/connect?app_id=test"],
  ["https://push.example.com/a/b#top", "wss://push.example.com/a/b/ws/connect?app_id=test"],
  ["https://push.example.com/ws/connect", "wss://push.example.com/ws/connect?app_id=test"],
  ["https://push.example.com/p/ws/connect/?route=eu", "wss://push.example.com/p/ws/connect?route=eu&app_id=test"],
  [new URL("https://push.example.com"), "wss://push.example.com/ws/connect?app_id=test"],
] as const) {
  test(`url ${given} connects to ${expected}`, async () => {
    const { sockets, connected, closed } = fakeClient({ url: given });
    await connected();
    assert.equal(sockets.last.url, expected);
    assert.deepEqual(sockets.last.protocols, ["xlvein.v2.json", "xlvein.token.t"]);
    await closed();
  });
}

test("a ready-made connect URL needs neither appKey nor token; its token goes where no log keeps it", async () => {
  const { sockets, connected, closed } = fakeClient({ url: ready, appKey: undefined, token: undefined });
  await connected();
  assert.equal(sockets.last.url, ready.replace("&token=abc", ""));
  assert.equal(sockets.last.token, "abc");
  await closed();
});

test("a token option replaces the one of a ready-made URL, and getToken the refused one", async () => {
  const { client, sockets, clock, closed } = fakeClient({ url: ready, appKey: undefined, token: undefined, getToken: () => "fresh" });
  void client.connect();
  await settle();
  sockets.last.open();
  sockets.last.end(4007);
  await clock.advance(2_000);
  assert.deepEqual(
    sockets.all.map(({ token }) => token),
    ["abc", "fresh"],
  );
  await closed();
  const other = fakeClient({ url: ready, token: "mine", appKey: "another" });
  await other.connected();
  assert.equal(other.sockets.last.token, "mine");
  assert.match(other.sockets.last.url, /app_id=another$/, "and so does appKey");
  await other.closed();
});

test("values are encoded into the URL", async () => {
  const { sockets, connected, closed } = fakeClient({ appKey: "a&b=c", deviceId: "电话/1", token: "x+y" });
  await connected();
  const query = new URL(sockets.last.url).searchParams;
  assert.deepEqual([query.get("app_id"), query.get("device_id"), query.get("token")], ["a&b=c", "电话/1", null]);
  await closed();
});

for (const [options, message] of [
  [{ appKey: "test", token: "t" }, /^url: /],
  [{ url: "", appKey: "test", token: "t" }, /^url: /],
  [{ url: "/relative", appKey: "test", token: "t" }, /^url: .*\/relative/],
  [{ url: "not a url", appKey: "test", token: "t" }, /^url: /],
  [{ url: "ftp://push.example.com", appKey: "test", token: "t" }, /^url: .*http or ws/],
  [{ url: "push.example.com:8090", appKey: "test", token: "t" }, /^url: /],
  [{ url: 42, appKey: "test", token: "t" }, /^url: /],
  [{ url, token: "t" }, /^appKey: is missing/],
  [{ url, appKey: "", token: "t" }, /^appKey: /],
  [{ url, appKey: 7, token: "t" }, /^appKey: /],
  [{ url, appKey: "test" }, /^token: is missing/],
  [{ url, appKey: "test", token: "" }, /^token: /],
  [{ url, appKey: "test", token: Promise.resolve("t") }, /^token: /],
  [{ url, appKey: "test", getToken: "t" }, /^getToken: must be a function/],
  [{ url, appKey: "test", token: "t", deviceId: "" }, /^deviceId: /],
  [{ url, appKey: "test", token: "t", connectTimeoutMs: 0 }, /^connectTimeoutMs: /],
  [{ url, appKey: "test", token: "t", connectTimeoutMs: Number.NaN }, /^connectTimeoutMs: /],
  [{ url, appKey: "test", token: "t", connectTimeoutMs: "10s" }, /^connectTimeoutMs: /],
  [{ url, appKey: "test", token: "t", maxFrameBytes: -1 }, /^maxFrameBytes: /],
  [{ url, appKey: "test", token: "t", WebSocket: {} }, /^WebSocket: /],
] as const) {
  test(`${JSON.stringify(options).slice(0, 80)} is refused with ${message}`, () => {
    assert.throws(() => createClient(options as unknown as ClientOptions), { name: "XlveinError", code: "bad_option", message });
  });
}

test("options that are undefined count as not given", () => {
  const none = undefined;
  createClient({
    url,
    appKey: "test",
    token: "t",
    getToken: none,
    deviceId: none,
    connectTimeoutMs: none,
    maxFrameBytes: none,
    WebSocket: none,
    page: none,
    clock: none,
  });
});

test("createClient() without options is refused by name", () => {
  assert.throws(() => createClient(undefined as never), { code: "bad_option", message: /^url: / });
});

test("the system's clock and WebSocket are the defaults", async () => {
  const client = createClient({ url: "ws://127.0.0.1:1", appKey: "test", token: "t" });
  const failed = new Promise((resolve) => client.on("error", resolve));
  void client.connect();
  assert.equal(((await failed) as { code: string }).code, "connect_failed");
  await client.close();
});
