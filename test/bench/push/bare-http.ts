// The reference: node:http alone. Reads the body and answers as many bytes as a push is answered with; nothing is checked, nobody receives anything.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const ANSWER = JSON.stringify({
  msg_id: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
  duplicate: false,
  streams: [{ account: "user_000", epoch: "aaaaaaaaaaaaaaaa", offset: 1_000 }],
});

const http = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (Buffer.concat(chunks).length === 0) response.statusCode = 400;
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.setHeader("content-length", ANSWER.length);
    response.end(ANSWER);
  });
});
http.keepAliveTimeout = 72_000;
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
