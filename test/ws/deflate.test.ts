// Compression: who gets it, what it costs nobody else, and what a client may not do with it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { WebSocket } from "ws";
import { connectUrl, push } from "../helpers/client.ts";
import { APPLICATIONS, SECRET, startServer } from "../helpers/server.ts";

const LONG = "a text that comes again and again, ".repeat(40);
const NEGOTIATED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const apps = [{ app_key: "test", app_secret: SECRET, deflate: true, push_auth: ["bearer"] }, APPLICATIONS[1] as Record<string, unknown>];

interface Opened {
  readonly socket: WebSocket;
  readonly extensions: string | undefined;
  readonly texts: { next(): Promise<string> };
}

async function open(t: TestContext, url: string, app = "test", offers = true): Promise<Opened> {
  const secret = app === "test" ? SECRET : `${SECRET}2`;
  const socket = new WebSocket(connectUrl(url, { app, secret }), { perMessageDeflate: offers && { threshold: 0 } });
  t.after(() => socket.terminate());
  const texts = on(socket);
  const [[{ headers: answered }]] = (await Promise.all([once(socket, "upgrade"), once(socket, "open")])) as [
    [{ headers: Record<string, string | undefined> }],
    unknown,
  ];
  return { socket, extensions: answered["sec-websocket-extensions"], texts };
}

/** The texts that come from now on. */
function on(socket: WebSocket): { next(): Promise<string> } {
  const texts: string[] = [];
  socket.on("message", (data) => {
    texts.push(String(data));
    socket.emit("taken");
  });
  return {
    async next() {
      while (texts.length === 0) await once(socket, "taken");
      return texts.shift() as string;
    },
  };
}

/** A handshake of raw bytes; answers the socket behind the 101. */
async function rawConnect(t: TestContext, url: string, offer: string): Promise<{ socket: Socket; head: string }> {
  const { pathname, search, port } = new URL(connectUrl(url));
  const socket = connectTcp(Number(port), "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(
    `GET ${pathname}${search} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: ${offer}\r\n\r\n`,
  );
  const [piece] = (await once(socket, "data")) as [Buffer];
  return { socket, head: piece.toString("latin1") };
}

/** A compressed text frame of a client. */
function compressed(text: Buffer): Buffer {
  const payload = deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
  const header = Buffer.alloc(8);
  header[0] = 0xc1;
  header[1] = 0x80 | 126;
  header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

test("an application that has not asked for it, and a client that does not offer it, have none", async (t) => {
  const { url } = await startServer(t, { applications: apps });
  assert.equal((await open(t, url, "test2")).extensions, undefined);
  const { extensions, texts } = await open(t, url, "test", false);
  assert.equal(extensions, undefined);
  await push(url, ["user_1"], { text: LONG });
  assert.deepEqual(JSON.parse(await texts.next()).data, { text: LONG });
});

test("both directions are compressed, each message for itself, and carry the same messages as without", async (t) => {
  const server = await startServer(t, { applications: apps });
  const taking = await open(t, server.url);
  assert.equal(taking.extensions, NEGOTIATED);
  const plain = await open(t, server.url, "test", false);
  for (let n = 0; n < 3; n++) await push(server.url, ["user_1"], { n, text: LONG });
  for (let n = 0; n < 3; n++) {
    const [one, other] = [await taking.texts.next(), await plain.texts.next()];
    assert.equal(one, other);
    assert.equal(JSON.parse(one).data.n, n);
  }
  for (let n = 0; n < 3; n++) taking.socket.send(JSON.stringify({ to: "user_1", data: { n, text: LONG } }));
  for (let n = 0; n < 3; n++) assert.equal(JSON.parse(await plain.texts.next()).data.n, n);
});

test("what crosses the wire is small, and the same for all: short messages stay plain", async (t) => {
  const { url } = await startServer(t, { applications: apps });
  const { socket, head } = await rawConnect(t, url, "permessage-deflate; client_max_window_bits");
  assert.match(head, new RegExp(`Sec-WebSocket-Extensions: ${NEGOTIATED}\r\n`));
  await push(url, ["user_1"], { text: LONG });
  const [frame] = (await once(socket, "data")) as [Buffer];
  assert.equal(frame[0], 0xc1);
  assert.ok(frame.length < LONG.length / 4, `${frame.length} bytes`);
  await push(url, ["user_1"], { n: 1 });
  const [short] = (await once(socket, "data")) as [Buffer];
  assert.equal(short[0], 0x81);
});

test("a client that wants a window that is not kept is connected, and not compressed for", async (t) => {
  const { url } = await startServer(t, { applications: apps });
  const { head } = await rawConnect(t, url, "permessage-deflate; server_max_window_bits=9");
  assert.match(head, /^HTTP\/1\.1 101 /);
  assert.doesNotMatch(head, /sec-websocket-extensions/i);
});

test("a small message that would inflate beyond the limit ends its connection with 1009, and no other", async (t) => {
  const server = await startServer(t, { applications: apps });
  const calm = await open(t, server.url);
  const { socket } = await rawConnect(t, server.url, "permessage-deflate");
  const bomb = compressed(Buffer.alloc(16 * 1_048_576, 0x20));
  assert.ok(bomb.length < 32_768);
  socket.write(bomb);
  const [close] = (await once(socket, "data")) as [Buffer];
  assert.deepEqual([close[0], close.readUInt16BE(2)], [0x88, 1009]);
  calm.socket.send(JSON.stringify({ to: "user_1", data: { alive: true } }));
  assert.deepEqual(JSON.parse(await calm.texts.next()).data, { alive: true });
});

test("what cannot be inflated ends its connection with 1007", async (t) => {
  const { url } = await startServer(t, { applications: apps });
  const { socket } = await rawConnect(t, url, "permessage-deflate");
  socket.write(Buffer.from([0xc1, 0x84, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
  const [close] = (await once(socket, "data")) as [Buffer];
  assert.deepEqual([close[0], close.readUInt16BE(2)], [0x88, 1007]);
});

test("a compressed frame of a client that has not negotiated it breaks the protocol: 1002", async (t) => {
  const { url } = await startServer(t);
  const { socket } = await rawConnect(t, url, "permessage-deflate");
  socket.write(compressed(Buffer.from('{"to":"user_1","data":{}}')));
  const [close] = (await once(socket, "data")) as [Buffer];
  assert.deepEqual([close[0], close.readUInt16BE(2)], [0x88, 1002]);
});
