// The peer: socket.io with its in-memory adapter, everybody in one room; POST /push {n} goes to all. "recover" as an argument turns its connection state recovery on.
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { createPushServer } from "../harness/push-server.ts";

const http = createPushServer((message) => io.to("channel").emit("message", message));
const recovery = process.argv[2] === "recover" ? { connectionStateRecovery: {} } : {};
const io = new Server(http, { transports: ["websocket"], ...recovery });
io.on("connection", async (socket) => {
  if (!socket.recovered) await socket.join("channel");
  socket.emit("ready");
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
