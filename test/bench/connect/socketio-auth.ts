// The peer: socket.io that lets in who has a token, verified with a key made once, and puts everybody into the room of the account.
import { createSecretKey } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";
import { SECRET } from "../../helpers/server.ts";

const key = createSecretKey(Buffer.from(SECRET));
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.use((socket, next) => {
  try {
    socket.data = jwt.verify(String(socket.handshake.query["token"]), key, { algorithms: ["HS256"] }).sub;
    next();
  } catch (error) {
    next(error as Error);
  }
});
io.on("connection", (socket) => void socket.join(String(socket.data)));
http.listen(0, "127.0.0.1", 4_096, () => console.log((http.address() as AddressInfo).port));
