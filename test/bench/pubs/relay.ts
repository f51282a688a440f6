// The reference: ws alone. Parses a client's message, finds the receiver, writes it on; nothing is checked, kept or acknowledged.
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

const sockets = new Map<string, WebSocket>();
const server: WebSocketServer = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false }, () =>
  console.log((server.address() as AddressInfo).port),
);
server.on("connection", (socket, request) => {
  const from = new URL(request.url ?? "", "http://localhost").searchParams.get("account") ?? "";
  sockets.set(from, socket);
  socket.on("message", (bytes) => {
    const { to, data } = JSON.parse(String(bytes)) as { to: string; data: unknown };
    sockets.get(to)?.send(JSON.stringify({ from, to, data, send_at: Date.now() }));
  });
});
