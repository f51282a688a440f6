// The reference: node:http and ws with one shared set of handlers, which let everybody in.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

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
  acceptor.handleUpgrade(request, socket, head, (client) => {
    sockets.add(client);
    client.on("message", onMessage).on("close", onClose).on("error", onError);
  });
});
http.listen(0, "127.0.0.1", 4_096, () => console.log((http.address() as AddressInfo).port));
