// The peer: socket.io with its in-memory adapter, every socket in one room.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { messageText, serveOrders, tell } from "./rounds.ts";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, pingInterval: 600_000 });
let sockets = 0;
io.on("connection", async (socket) => {
  await socket.join("room");
  tell({ sockets: ++sockets });
});
serveOrders((_way, n) => io.to("room").emit("message", JSON.parse(messageText(n))));
http.listen(0, "127.0.0.1", 4_096, () => console.log((http.address() as AddressInfo).port));
