// The reference: socket.io with its Redis adapter, one room per account; pushes arrive as POST /push [{to, data}, …], with a verified token where a secret is given.
import { createSecretKey } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";
import { createPushServer } from "../harness/push-server.ts";

const [redisUrl = "", secret] = process.argv.slice(2);
const options = { enableAutoPipelining: true };
const [pub, sub] = [new Redis(redisUrl, options), new Redis(redisUrl, options)];
await Promise.all([once(pub, "ready"), once(sub, "ready")]);
const key = secret === undefined ? undefined : createSecretKey(Buffer.from(secret));

const http = createPushServer((body, { headers }) => {
  if (key) jwt.verify(String(headers.authorization).slice(7), key, { algorithms: ["HS256"], audience: "xlvein-api" });
  for (const { to, data } of body as { to: string; data: unknown }[]) io.to(to).emit("message", { to, data, send_at: Date.now() });
});
const io = new Server(http, { adapter: createAdapter(pub, sub), transports: ["websocket"], perMessageDeflate: false });
io.on("connection", async (socket) => {
  await socket.join(String(socket.handshake.query["account"]));
  socket.emit("ready");
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
