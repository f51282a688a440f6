// How a peer takes pushes: POST /push with JSON, answered as soon as it has been handed on. Nothing is checked here.
import { createServer, type IncomingMessage, type Server } from "node:http";

/** Not listening yet; `take` is handed each body, and may throw to end the process. */
export function createPushServer(take: (body: unknown, request: IncomingMessage) => void): Server {
  const http = createServer((request, response) => {
    if (request.url !== "/push") return;
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      take(JSON.parse(text), request);
      response.setHeader("content-type", "application/json");
      response.end('{"ok":true}');
    });
  });
  http.keepAliveTimeout = 72_000;
  return http;
}
