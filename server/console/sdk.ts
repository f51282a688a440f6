// What this page uses of `/sdk.js`, the browser SDK that the server hands out: the page holds no copy of it.

export type State = "idle" | "connecting" | "connected" | "disconnected" | "closed";

/** The SDK's error: `code` is a stable word, `closeCode` the WebSocket's, `serverCode` the server's; `room` is one that could not be entered. */
export interface SdkError extends Error {
  readonly code: string;
  readonly serverCode?: number;
  readonly room?: string;
  readonly closeCode?: number;
}

export interface StateChange {
  readonly state: State;
  readonly previous: State;
  readonly reason?: SdkError;
  readonly retryInMs?: number;
}

export interface Client {
  connect(): Promise<void>;
  close(): Promise<void>;
  send(to: string, data: object): Promise<unknown>;
  room(name: string): Room;
  on(event: "state", listener: (change: StateChange) => void): unknown;
  on(event: "error", listener: (error: SdkError) => void): unknown;
}

export interface Room {
  subscribe(): Promise<void>;
  send(data: object): Promise<unknown>;
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
