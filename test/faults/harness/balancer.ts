// A balancer before several nodes, without sticky sessions: each connection goes to the next node that runs.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface Balancer {
  readonly url: string;
  readonly port: number;
}

/** `urls` are asked for each connection. A connection to a node that is not there is reset. */
export async function startBalancer(t: Pick<TestContext, "after">, urls: () => readonly string[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let next = 0;
  const listener = createServer({ noDelay: true }, (client) => {
    const all = urls();
    const url = all[next++ % Math.max(1, all.length)];
    if (url === undefined) return void client.resetAndDestroy();
    const node = connect({ port: Number(new URL(url).port), host: "127.0.0.1", noDelay: true });
    for (const [from, to] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.resetAndDestroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroySoon();
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = listener.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, port };
}
