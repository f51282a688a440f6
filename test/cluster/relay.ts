// Addresses inside a test machine, reached from here: a listener on loopback for each, connected through a Unix socket.
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { appears, type Machine } from "./machine.ts";

export interface Relay {
  /** Answers the port on 127.0.0.1 that leads to this address in the machine. */
  open(host: string, port: number): Promise<number>;
  stop(): Promise<void>;
}

const READY_MS = 10_000;

export async function startRelay(machine: Machine): Promise<Relay> {
  const path = join(machine.folder, "relay.sock");
  const program = machine.start("relay", [process.execPath, join(import.meta.dirname, "relay-inside.ts"), path]);
  await appears(path, READY_MS, () => {
    if (!program.running) throw new Error(`the relay has ended:\n${program.tail()}`);
  });
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  return {
    async open(host, port) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
        const inside = connect({ path, allowHalfOpen: true });
        inside.write(`${host} ${port}\n`);
        pipeline(client, inside, () => {});
        pipeline(inside, client, () => {});
        for (const socket of [client, inside]) {
          sockets.add(socket);
          socket.once("close", () => sockets.delete(socket));
        }
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return (server.address() as { port: number }).port;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      await program.stop("SIGKILL");
    },
  };
}
