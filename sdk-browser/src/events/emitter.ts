// Delivers events: every listener hears every event, in order, whatever the others do.
import type { ClientEvents, On } from "./events.ts";

export interface Emitter {
  on: On;
  emit<Name extends keyof ClientEvents>(event: Name, value: ClientEvents[Name]): void;
}

export function createEmitter(): Emitter {
  const listeners = new Set<{ event: keyof ClientEvents; call: (value: never) => void }>();
  const queue: (() => void)[] = [];

  return {
    on: (event, call) => {
      const listener = { event, call };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    emit: (event, value) => {
      const deliver = () => {
        for (const listener of [...listeners]) if (listener.event === event && listeners.has(listener)) guard(() => listener.call(value as never));
      };
      // A listener may cause the next event: it waits until this one has reached everybody.
      if (queue.push(deliver) > 1) return;
      while (queue[0]) {
        queue[0]();
        queue.shift();
      }
    },
  };
}

/** A listener's fault is reported as uncaught, as for DOM events, and stops nobody else. */
function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
