// The peer: socket.io with its in-memory adapter, one room per account; pushes arrive as POST /push {to, data}, without any authentication.
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { createPushServer } from "../harness/push-server.ts";

const http = createPushServer((body) => {
  const { to, data } = body as { to: string; data: unknown };
  io.to(to).emit("message", { to, data, send_at: Date.now() });
});
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", async (socket) => {
  await socket.join(String(socket.handshake.query["account"]));
  socket.emit("ready");
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
