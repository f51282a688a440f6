// A server's side of a measurement: rounds of sending to every socket, never far ahead of those who read.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Order, ToBench, ToServer, Way } from "./messages.ts";

/** Rounds under way at most, so that no socket's buffers fill. */
const WINDOW = 4;

/** What the classic Go service and this server send: seven fields, 120 bytes of data. */
export function messageText(n: number): string {
  const data = { text: "x".repeat(100), n: String(n).padStart(8, "0") };
  return JSON.stringify({
    to: "user_1",
    event: 0,
    data,
    msg_id: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e12",
    send_at: 1795412345700,
    from: "user_2",
    conversation_id: "c",
  });
}

export function tell(message: ToBench): void {
  process.send?.(message);
}

/** Serves orders: `send` writes one message to every socket. */
export function serveOrders(send: (way: Way, n: number) => void): void {
  let received = 0;
  let wake = () => {};
  process.on("message", (message: ToServer) => {
    if (message === "received") {
      received++;
      wake();
    } else void carryOut(message);
  });
  process.on("disconnect", () => process.exit());

  async function carryOut({ way, rounds, burst }: Order): Promise<void> {
    received = 0;
    globalThis.gc?.();
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < burst; n++) send(way, n);
      await nextTurn();
      while (round + 1 - received >= WINDOW) await new Promise<void>((resolve) => (wake = resolve));
    }
    while (received < rounds) await new Promise<void>((resolve) => (wake = resolve));
    const { user, system } = process.cpuUsage(before);
    tell({ cpuMs: (user + system) / 1_000 });
  }
}
