// React hooks over a client. They take the client as an argument: make it once, outside of components or in useMemo.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Client } from "./client.ts";
import type { State } from "./connection/connection.ts";
import type { Message } from "./protocol/protocol.ts";

/** Connects the client while the component is mounted and closes it afterwards; answers its state. Use it once per client, near the root. */
export function useXlvein(client: Client): State {
  useEffect(() => {
    void client.connect();
    return () => void client.close();
  }, [client]);
  return useConnectionState(client);
}

/** The client's state; renders again when it changes. On a server it is `idle`. */
export function useConnectionState(client: Client): State {
  const subscribe = useCallback((changed: () => void) => client.on("state", changed), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.state,
    () => "idle",
  );
}

/** Calls `listener` for every message while the component is mounted; always the listener of the latest render. */
export function useMessage(client: Client, listener: (message: Message) => void): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client.on("message", (message) => latest.current(message)), [client]);
}

/** The last messages since the component was mounted, oldest first. `limit`: how many are kept, 100 by default. */
export function useMessages(client: Client, { limit = 100 }: { limit?: number } = {}): readonly Message[] {
  const [kept, setKept] = useState<{ client: Client; messages: readonly Message[] }>({ client, messages: NONE });
  useMessage(client, (message) => {
    setKept((before) => ({ client, messages: [...(before.client === client ? before.messages : NONE), message].slice(-limit) }));
  });
  return kept.client === client ? kept.messages : NONE;
}

const NONE: readonly Message[] = [];
