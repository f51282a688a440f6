// The peer: socket.io with its in-memory adapter, everybody in one room; POST /push {n} goes to all. "recover" as an argument turns its connection state recovery on.
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
    io.to("channel").emit("message", JSON.parse(text));
    response.setHeader("content-type", "application/json");
    response.end('{"ok":true}');
  });
});
http.keepAliveTimeout = 72_000;
const recovery = process.argv[2] === "recover" ? { connectionStateRecovery: {} } : {};
const io = new Server(http, { transports: ["websocket"], ...recovery });
io.on("connection", async (socket) => {
  if (!socket.recovered) await socket.join("channel");
  socket.emit("ready");
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
