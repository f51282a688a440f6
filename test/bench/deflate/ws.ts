// The reference: ws with permessage-deflate, which compresses every message for each of its sockets. POST: the body goes to all.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

const http = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  for (const socket of acceptor.clients) socket.send(text);
  response.setHeader("content-length", 2);
  response.end("ok");
});
const acceptor = new WebSocketServer({ server: http, perMessageDeflate: { threshold: 0, serverNoContextTakeover: true } });
http.keepAliveTimeout = 72_000;
http.listen(0, "127.0.0.1", 4_096, () => console.log((http.address() as AddressInfo).port));
