// What this page uses of `/sdk.js`, the browser SDK that the server hands out: the page holds no copy of it.

export type State = "idle" | "connecting" | "connected" | "disconnected" | "closed";

/** The SDK's error: `code` is a stable word, `closeCode` the WebSocket's. */
export interface SdkError extends Error {
  readonly code: string;
  readonly closeCode?: number;
}

export interface StateChange {
  readonly state: State;
  readonly reason?: SdkError;
  readonly retryInMs?: number;
}

export interface Client {
  connect(): Promise<void>;
  close(): Promise<void>;
  send(to: string, data: object): Promise<void>;
  on(event: "state", listener: (change: StateChange) => void): unknown;
  on(event: "error", listener: (error: SdkError) => void): unknown;
}

export interface ClientOptions {
  readonly url: string;
  readonly appKey: string;
  readonly token: string;
  readonly WebSocket: typeof WebSocket;
}

export type CreateClient = (options: ClientOptions) => Client;

/** The SDK's entry, or undefined when `/sdk.js` did not load. */
export function loadedSdk(): CreateClient | undefined {
  return (globalThis as { xlvein?: { createClient: CreateClient } }).xlvein?.createClient;
}
