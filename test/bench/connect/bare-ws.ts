// The reference: node:http and ws with one shared set of handlers, which let everybody in; with a secret as argument everybody who shows a token that it has signed.
import { createSecretKey } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import jwt from "jsonwebtoken";
import { type WebSocket, WebSocketServer } from "ws";

const secret = process.argv[2];
const key = secret === undefined ? undefined : createSecretKey(secret, "utf8");

const http = createServer();
const acceptor = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
// They are kept, as any server keeps those that it wants to reach.
const sockets = new Set<WebSocket>();

function onMessage(): void {}

function onClose(this: WebSocket): void {
  sockets.delete(this);
}

function onError(this: WebSocket): void {
  this.terminate();
}

http.on("upgrade", (request, socket, head) => {
  // One that proves nothing ends the process, and with it the run.
  if (key) jwt.verify(new URL(request.url ?? "", "ws://localhost").searchParams.get("token") ?? "", key, { algorithms: ["HS256"] });
  acceptor.handleUpgrade(request, socket, head, (client) => {
    sockets.add(client);
    client.on("message", onMessage).on("close", onClose).on("error", onError);
  });
});
http.listen(0, "127.0.0.1", 4_096, () => console.log((http.address() as AddressInfo).port));
