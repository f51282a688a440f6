// What the bench and the servers it starts tell each other.

/** Messages to every socket in one turn, where it is more than one. */
export const BURST = 10;

/**
 * `hub`: a room's message as the server delivers it · `outbox`: one shared frame to each outbox · `raw`, `ws`, `socketio`: what it is
 * compared with · `joined`: a whole burst in one piece, made once, the most that is possible.
 */
export type Way = "hub" | "outbox" | "raw" | "joined" | "ws" | "socketio";

export interface Order {
  readonly way: Way;
  /** Messages to every socket; each in a turn of its own with the others of its burst. */
  readonly rounds: number;
  /** Messages to every socket in one turn. */
  readonly burst: number;
}

/** From the bench to a server: an order, or that every socket has got all of one round. */
export type ToServer = Order | "received";

/** From a server to the bench: how many sockets it has; the CPU time an order has used, ms. */
export type ToBench = { readonly sockets: number } | { readonly cpuMs: number };
