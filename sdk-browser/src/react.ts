// React hooks over a client. They take the client as an argument: make it once, outside of components or in useMemo.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Client } from "./client.ts";
import type { State } from "./events/events.ts";
import type { Message } from "./protocol/protocol.ts";
import type { Room, RoomOptions } from "./rooms/room.ts";

/** A client or a room: what has messages. */
export type Source = Pick<Client, "on">;

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

/**
 * A room, subscribed to while the component is mounted and left afterwards: use it once per room. A refusal is an `error` event.
 * `options` are those of the latest render.
 */
export function useRoom(client: Client, name: string, options?: RoomOptions): Room {
  const room = client.room(name, options);
  useEffect(() => {
    void room.subscribe();
    return () => void room.unsubscribe();
  }, [room]);
  return room;
}

/** Calls `listener` for every message of a client or a room while the component is mounted; always the listener of the latest render. */
export function useMessage(source: Source, listener: (message: Message) => void): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => source.on("message", (message) => latest.current(message)), [source]);
}

/** The last messages of a client or a room since the component was mounted, oldest first. `limit`: how many are kept, 100 by default. */
export function useMessages(source: Source, { limit = 100 }: { limit?: number } = {}): readonly Message[] {
  const [kept, setKept] = useState<{ source: Source; messages: readonly Message[] }>({ source, messages: NONE });
  useMessage(source, (message) => {
    setKept((before) => ({ source, messages: [...(before.source === source ? before.messages : NONE), message].slice(-limit) }));
  });
  return kept.source === source ? kept.messages : NONE;
}

const NONE: readonly Message[] = [];
