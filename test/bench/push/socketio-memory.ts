// The peer: socket.io with its in-memory adapter, one room per account; pushes arrive as POST /push {to, data}, without any authentication.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

const http = createServer((request, response) => {
  if (request.url !== "/push") return;
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    const { to, data } = JSON.parse(text) as { to: string; data: unknown };
    io.to(to).emit("message", { to, data, send_at: Date.now() });
    response.setHeader("content-type", "application/json");
    response.end('{"ok":true}');
  });
});
http.keepAliveTimeout = 72_000;
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", async (socket) => {
  await socket.join(String(socket.handshake.query["account"]));
  socket.emit("ready");
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
