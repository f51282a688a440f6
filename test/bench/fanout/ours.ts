// The server's hub and outboxes on real sockets, and, on the same sockets, what writes to them in other ways.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { App } from "../../../server/src/apps/app.ts";
import { Connection } from "../../../server/src/hub/connection.ts";
import { createHub } from "../../../server/src/hub/hub.ts";
import { Outboxes } from "../../../server/src/hub/outboxes.ts";
import { createWheel } from "../../../server/src/hub/wheel.ts";
import { createMetrics } from "../../../server/src/metrics/metrics.ts";
import { messageEnvelope } from "../../../server/src/protocol/envelope.ts";
import { type Message, newMsgId } from "../../../server/src/protocol/message.ts";
import { roomTarget } from "../../../server/src/protocol/target.ts";
import { textFrame } from "../../../server/src/protocol/ws-frame.ts";
import { BURST, type Way } from "./messages.ts";
import { messageText, serveOrders, tell } from "./rounds.ts";

const app = { key: "app", limits: { maxConnections: Infinity, maxConnectionsPerAccount: Infinity } } as App;
const room = roomTarget("app", "room");
const hub = createHub({
  hold: async () => {},
  release: () => {},
  slowOf: () => "close",
  onMembership: () => {},
  maxConnections: 100_000,
  holdTimeoutMs: 1_000,
  metrics: createMetrics("bench"),
  now: Date.now,
});
const onDropped = () => {
  throw new Error("a message was dropped");
};
const outboxes = new Outboxes({ capBytes: 1e9, onDropped });
const settings = { outboxBytes: 1_048_576, pingIntervalMs: 600_000, missedPings: 2, now: Date.now, wheel: createWheel(Date.now), outboxes };

const sockets: WebSocket[] = [];
const raws: Duplex[] = [];
const connections: Connection[] = [];
const shaker = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
const http = createServer();
http.on("upgrade", (request, raw, head) =>
  shaker.handleUpgrade(request, raw, head, async (socket) => {
    const account = `user_${sockets.length}`;
    const seat = await hub.admit(app, account);
    const connection = new Connection(
      socket,
      raw,
      { id: newMsgId(), app: "app", account, deviceId: undefined, protocol: "v2", deflates: false, expiresAtMs: undefined },
      settings,
    );
    seat.take(connection);
    await hub.subscribe(connection, room);
    sockets.push(socket);
    raws.push(raw);
    connections.push(connection);
    tell({ sockets: sockets.length });
  }),
);

const data = JSON.stringify({ text: "x".repeat(107) });
const position = { epoch: "k3vZ8Qa1.0", offset: 1, previous: "" };

const joined: Buffer[] = [];

function send(way: Way, n: number): void {
  if (way === "hub") {
    const message: Message = { event: 2, from: "user_2", data, msgId: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e12", sendAt: Date.now() };
    hub.deliver(room, messageEnvelope(message), position);
  } else if (way === "outbox") {
    const out = { frame: textFrame(messageText(n)) };
    for (const connection of connections) connection.send(out);
  } else if (way === "joined") {
    joined.push(textFrame(messageText(n)));
    if (joined.length < BURST) return;
    const bytes = Buffer.concat(joined.splice(0));
    for (const raw of raws) raw.write(bytes);
  } else if (way === "raw") {
    const frame = textFrame(messageText(n));
    for (const raw of raws) raw.write(frame);
  } else {
    const text = messageText(n);
    for (const socket of sockets) socket.send(text);
  }
}

serveOrders(send);
http.listen(0, "127.0.0.1", 4_096, () => console.log((http.address() as AddressInfo).port));
