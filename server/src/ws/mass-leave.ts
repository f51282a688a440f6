// Sockets whose clients are gone, closed a few in each turn: thousands that go at once, as when a network fails, would keep everybody else waiting.
import type { Duplex } from "node:stream";

/** Closed in one turn of the event loop; takes about 2 ms. */
const IN_TURN = 64;

const waiting: Duplex[] = [];
let left = IN_TURN;

/** Destroys a socket, in this turn unless many others have been. */
export function destroyInTurn(socket: Duplex): void {
  if (left === IN_TURN) setImmediate(nextTurn);
  if (left > 0) {
    left--;
    socket.destroy();
  } else waiting.push(socket);
}

function nextTurn(): void {
  left = IN_TURN;
  for (const socket of waiting.splice(0, IN_TURN)) destroyInTurn(socket);
}
