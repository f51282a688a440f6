// The peer: socket.io with its in-memory adapter, one room per account; a client's "pub" goes to a room, and is acknowledged where that is asked for.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", async (socket) => {
  const from = String(socket.handshake.query["account"]);
  await socket.join(from);
  socket.on("pub", ({ to, data }: { to: string; data: unknown }, acknowledge?: (answer: object) => void) => {
    io.to(to).emit("message", { from, to, data, send_at: Date.now() });
    acknowledge?.({ ok: true });
  });
  socket.emit("ready");
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
