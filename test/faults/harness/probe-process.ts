// A process with one raw client after the other, at intervals: how long each took from its first packet to the server's hello.
import { WebSocket } from "ws";
import type { ProbeOrder, ProbeReport } from "./probe.ts";

let figures: number[] = [];
let timer: NodeJS.Timeout | undefined;

function connect(url: string, token: string): void {
  const startMs = performance.now();
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws/connect?app_id=test`, ["xlvein.v2.json", `xlvein.token.${token}`]);
  socket.once("message", () => {
    figures.push(performance.now() - startMs);
    socket.close();
  });
  socket.on("error", () => figures.push(Number.POSITIVE_INFINITY));
}

process.on("message", (order: ProbeOrder) => {
  if (order.kind === "stop") {
    clearInterval(timer);
    process.send?.({ helloMs: figures } satisfies ProbeReport);
    return;
  }
  let next = 0;
  figures = [];
  timer = setInterval(() => {
    const token = order.tokens[next++];
    if (token !== undefined) connect(order.url, token);
  }, order.everyMs);
});
process.on("disconnect", () => process.exit());
