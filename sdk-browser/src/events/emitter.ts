// Delivers events: every listener hears every event, in order, whatever the others do.
import type { ClientEvents, On } from "./events.ts";

export interface Emitter {
  on: On;
  emit<Name extends keyof ClientEvents>(event: Name, value: ClientEvents[Name]): void;
}

export function createEmitter(): Emitter {
  const listeners = new Set<readonly [keyof ClientEvents, (value: never) => void]>();
  const queue: (readonly [keyof ClientEvents, unknown])[] = [];

  return {
    on: (event, call) => {
      const listener = [event, call] as const;
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit: (event, value) => {
      // A listener may cause the next event: it waits until this one has reached everybody.
      if (queue.push([event, value]) > 1) return;
      for (const [name, what] of queue)
        for (const listener of [...listeners])
          try {
            if (listener[0] === name && listeners.has(listener)) listener[1](what as never);
          } catch (error) {
            // Reported as uncaught, as for DOM events; it stops nobody else.
            queueMicrotask(() => {
              throw error;
            });
          }
      queue.length = 0;
    },
  };
}
