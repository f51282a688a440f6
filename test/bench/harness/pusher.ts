// A backend's keep-alive connection, as thin as it can be: one POST in flight, only the status is read.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Stage } from "./stage.ts";

const HEAD_LIFE_MS = 40_000;

export interface Pusher {
  /** Resolves with the status when the answer is complete. */
  push(body: string): Promise<number>;
}

/** `headers` are asked for anew before a token in them expires. */
export function createPusher(stage: Stage, url: string, headers: () => Readonly<Record<string, string>>): Pusher {
  const { hostname, port, pathname, host } = new URL(url);
  let socket: Socket | undefined;
  let waiting: PromiseWithResolvers<number> | undefined;
  let head = "";
  let headUntil = 0;
  stage.after(() => socket?.destroy());

  async function open(): Promise<Socket> {
    const fresh = connect({ host: hostname, port: Number(port), noDelay: true });
    let text = "";
    fresh.setEncoding("latin1");
    fresh.on("data", (chunk) => {
      text += chunk;
      const length = answerLength(text);
      if (length === undefined || text.length < length) return;
      const status = Number(text.slice(9, 12));
      text = "";
      waiting?.resolve(status);
    });
    fresh.on("error", (error) => waiting?.reject(error));
    // A server ends connections that have been idle for seconds.
    fresh.on("close", () => {
      socket = undefined;
      waiting?.reject(new Error("the server has closed the connection"));
    });
    await once(fresh, "connect");
    return fresh;
  }
  function readHead(): string {
    if (performance.now() < headUntil) return head;
    headUntil = performance.now() + HEAD_LIFE_MS;
    const lines = Object.entries({ host, "content-type": "application/json", ...headers() }).map(([name, value]) => `${name}: ${value}\r\n`);
    head = `POST ${pathname} HTTP/1.1\r\n${lines.join("")}`;
    return head;
  }
  return {
    async push(body) {
      socket ??= await open();
      waiting = Promise.withResolvers<number>();
      socket.write(`${readHead()}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      const status = await waiting.promise;
      waiting = undefined;
      return status;
    },
  };
}

/** Of head and body; `undefined` while the head is not complete. */
function answerLength(text: string): number | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const length = /content-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${text.slice(0, end)}`);
  return end + 4 + Number(length);
}
