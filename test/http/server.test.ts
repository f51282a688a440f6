// The API on a real socket: slow, broken and oversized requests, and clients that offer HTTP/2.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { answerClientError } from "../../server/src/http/client-error.ts";
import { httpServerOptions } from "../../server/src/http/server-options.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, LIMITS } from "./fixture.ts";

/** The API's own server, listening. */
async function listen(t: TestContext): Promise<{ port: number; url: string }> {
  const { api } = await createFixture();
  const server = api.server as Server;
  if (!server.listening) server.listen(0, "127.0.0.1");
  if (!server.listening) await once(server, "listening");
  t.after(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}` };
}

/** Everything the server says until it closes the connection. */
async function exchange(t: TestContext, port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.write(text);
  return readAll(socket);
}

async function readAll(socket: Socket): Promise<string> {
  let said = "";
  for await (const chunk of socket.setEncoding("utf8")) said += String(chunk);
  return said;
}

describe("the public server", () => {
  it("answers bytes that are not HTTP with a problem and closes", async (t) => {
    const { port } = await listen(t);
    const broken: [string, number][] = [
      ["\x16\x03\x01\x02\x00\x01\x00", 400],
      ["GARBAGE\r\n\r\n", 400],
      ["GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\n\r\n", 400],
      ["GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
      ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
      ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
      ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
      ["GET / HTTP/1.1\nHost: a\n\n", 400],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(17_000)}\r\n\r\n`, 431],
    ];
    for (const [text, status] of broken) {
      const said = await exchange(t, port, text);
      assert.match(said, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(text.slice(0, 60)));
      assert.match(said, /connection: close/i);
      // A missing Host is answered by Node itself, without a body.
      if (text === "GET / HTTP/1.1\r\n\r\n") continue;
      const [head = "", body = ""] = said.split("\r\n\r\n");
      assert.match(head, /content-type: application\/problem\+json/i);
      const problem = JSON.parse(body) as { status: number; request_id: string };
      assert.equal(problem.status, status);
      assert.ok(head.includes(problem.request_id));
    }
    assert.equal((await fetch(`http://127.0.0.1:${port}/sdk.js`)).status, 200, "the server lives");
  });

  it("ends silent connections and slow requests with 408", { timeout: 20_000 }, async (t) => {
    const server = createServer(httpServerOptions({ headersTimeoutMs: 300, requestTimeoutMs: 600 }), (_request, response) => void response.end());
    server.on("clientError", answerClientError);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const said = await Promise.all([exchange(t, port, ""), exchange(t, port, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")]);
    for (const text of said) assert.match(text, /^HTTP\/1\.1 408 /);
    assert.match(said[0] ?? "", /"code":408/);
  });

  it("ends a body that does not come, within the request time-out", { timeout: 20_000 }, async (t) => {
    const server = createServer(httpServerOptions({ headersTimeoutMs: 5_000, requestTimeoutMs: 300 }), (request, response) => {
      request.resume().on("end", () => response.end());
    });
    server.on("clientError", answerClientError);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    assert.match(await exchange(t, port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"), /^HTTP\/1\.1 408 /);
  });

  it("answers a body over the limit instead of cutting the upload", async (t) => {
    const { url } = await listen(t);
    const headers = { authorization: bearer(), "content-type": "application/json" };
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`${url}/api/v1/messages`, { method: "POST", headers, body: Buffer.alloc(4_000_000, 0x20) });
      assert.equal(response.status, 413);
      assert.equal(((await response.json()) as { code: number }).code, 413);
    }
    const chunks = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 40; i++) controller.enqueue(new Uint8Array(100_000));
        controller.close();
      },
    });
    const streamed = await fetch(`${url}/api/v1/im/push`, { method: "POST", headers, body: chunks, duplex: "half" } as RequestInit);
    assert.equal(((await streamed.json()) as { error: number }).error, 413);
  });

  it("answers clients that offer HTTP/2 with every request, in HTTP/1.1", async (t) => {
    const server = createServer(httpServerOptions(LIMITS), (_request: IncomingMessage, response) => void response.end("answered"));
    const upgrades: (string | undefined)[] = [];
    server.on("upgrade", ({ headers }: IncomingMessage, socket: Socket) => {
      upgrades.push(headers.upgrade);
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const ask = (upgrade: string) => exchange(t, port, `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n\r\n`);
    assert.match(await ask("WebSocket"), /^HTTP\/1\.1 400/);
    assert.match(await ask("h2c"), /^HTTP\/1\.1 200 OK[\s\S]*answered$/);
    assert.deepEqual(upgrades, ["WebSocket"]);
  });

  it("keeps connections open between requests", async (t) => {
    const { port } = await listen(t);
    const socket = connect(port, "127.0.0.1").setEncoding("utf8");
    t.after(() => socket.destroy());
    for (let i = 0; i < 3; i++) {
      socket.write("GET /sdk.js HTTP/1.1\r\nHost: a\r\n\r\n");
      let said = "";
      while (!said.includes("var xlvein")) said += String((await once(socket, "data"))[0]);
      assert.match(said, /^HTTP\/1\.1 200 OK/);
      assert.match(said, /keep-alive: timeout=72/i);
    }
  });
});
