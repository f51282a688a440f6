// The least of a Pusher-protocol server and of Centrifugo that their published protocols ask for, for the tests: neither can be installed with npm.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import jwt from "jsonwebtoken";
import { type WebSocket, WebSocketServer } from "ws";

/** What a server does wrong on purpose. */
export interface Faults {
  /** Every n-th message goes to nobody, or to everybody twice. */
  readonly loseEvery?: number;
  readonly repeatEvery?: number;
}

type Handlers = {
  /** Answers an HTTP request: status and body. */
  api(request: IncomingMessage, body: string): readonly [status: number, body: string];
  connected(socket: WebSocket, request: IncomingMessage): void;
};

async function serve(t: Pick<TestContext, "after">, { api, connected }: Handlers): Promise<string> {
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [status, body] = api(request, Buffer.concat(chunks).toString());
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on("connection", connected);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    http.closeAllConnections();
    http.close();
  });
  return `127.0.0.1:${(http.address() as AddressInfo).port}`;
}

function fanOut(sockets: ReadonlySet<WebSocket>, { loseEvery = 0, repeatEvery = 0 }: Faults): (text: string) => void {
  let count = 0;
  return (text) => {
    count++;
    const times = loseEvery > 0 && count % loseEvery === 0 ? 0 : repeatEvery > 0 && count % repeatEvery === 0 ? 2 : 1;
    for (let n = 0; n < times; n++) for (const socket of sockets) socket.send(text);
  };
}

/** https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/ and its REST API, events only. Answers host and port. */
export function startPusher(
  t: Pick<TestContext, "after">,
  { key, secret, appId }: { key: string; secret: string; appId: string },
  faults: Faults = {},
): Promise<string> {
  const channels = new Map<string, Set<WebSocket>>();
  const subscribers = (channel: string) => channels.get(channel) ?? channels.set(channel, new Set()).get(channel) ?? new Set();
  const send = fanOut(subscribers("bench"), faults);
  return serve(t, {
    connected(socket, request) {
      if (!request.url?.startsWith(`/app/${key}?protocol=7`))
        return void socket.send('{"event":"pusher:error","data":{"code":4001,"message":"no such application"}}');
      socket.send('{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"1.1\\",\\"activity_timeout\\":120}"}');
      socket.send('{"event":"pusher:ping","data":{}}');
      socket.on("message", (text) => {
        const { event, data } = JSON.parse(String(text)) as { event: string; data: { channel: string } };
        if (event !== "pusher:subscribe") return;
        subscribers(data.channel).add(socket);
        socket.send(JSON.stringify({ event: "pusher_internal:subscription_succeeded", channel: data.channel, data: "{}" }));
      });
    },
    api({ url = "", method }, body) {
      const { pathname, searchParams } = new URL(url, "http://localhost");
      const signature = searchParams.get("auth_signature") ?? "";
      searchParams.delete("auth_signature");
      const query = [...searchParams]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, value]) => `${name}=${value}`)
        .join("&");
      const expected = createHmac("sha256", secret).update(`${method}\n${pathname}\n${query}`).digest("hex");
      if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return [401, '{"error":"wrong signature"}'];
      if (searchParams.get("body_md5") !== createHash("md5").update(body).digest("hex")) return [401, '{"error":"wrong md5"}'];
      if (pathname !== `/apps/${appId}/events`) return [404, "{}"];
      const { name, channels: to, data } = JSON.parse(body) as { name: string; channels: string[]; data: string };
      for (const channel of to) send(JSON.stringify({ event: name, channel, data }));
      return [200, "{}"];
    },
  });
}

/** https://centrifugal.dev/docs/transports/client_protocol in JSON, subscriptions from the token, and the HTTP API's publish. Answers host and port. */
export function startCentrifugo(t: Pick<TestContext, "after">, { secret, apiKey }: { secret: string; apiKey: string }, faults: Faults = {}): Promise<string> {
  const subscribers = new Set<WebSocket>();
  const send = fanOut(subscribers, faults);
  return serve(t, {
    connected(socket, request) {
      if (request.url !== "/connection/websocket") return socket.close();
      socket.on("message", (text) => {
        for (const line of String(text).split("\n")) {
          const command = JSON.parse(line) as { id?: number; connect?: { token: string } };
          if (command.connect === undefined) continue;
          const claims = readToken(command.connect.token, secret);
          if (claims === undefined) return void socket.send(`{"id":${command.id},"error":{"code":101,"message":"unauthorized"}}`);
          for (const channel of claims.channels) if (channel === "bench") subscribers.add(socket);
          socket.send(`{"id":${command.id},"connect":{"client":"c","version":"6","subs":{"bench":{}},"ping":25,"pong":true}}\n{}`);
        }
      });
    },
    api({ url, headers }, body) {
      if (url !== "/api/publish") return [404, "{}"];
      if (headers["x-api-key"] !== apiKey) return [401, "{}"];
      const { channel, data } = JSON.parse(body) as { channel: string; data: unknown };
      send(JSON.stringify({ push: { channel, pub: { data } } }));
      return [200, '{"result":{}}'];
    },
  });
}

function readToken(token: string, secret: string): { channels: string[] } | undefined {
  try {
    return jwt.verify(token, secret, { algorithms: ["HS256"] }) as { channels: string[] };
  } catch {
    return undefined;
  }
}
