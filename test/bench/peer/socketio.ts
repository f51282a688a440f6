// Socket.IO 4 by URL: Engine.IO 4 over WebSocket, the default namespace. The server has to send on to everybody what a client emits.
import { connectReceiver, type Receiver } from "../harness/receiver.ts";
import { type PeerProtocol, type Target, wsOf } from "./protocol.ts";

/** The path of the address, if there is one, is that of the server's option `path`. */
export function socketio({ stage, url, event }: Target): PeerProtocol {
  const path = url.pathname === "/" ? "/socket.io/" : url.pathname;
  const address = `${wsOf(url)}${path}?EIO=4&transport=websocket`;
  const message = `42[${JSON.stringify(event)}`;
  const open = async (received: (text: string) => void): Promise<Receiver> => {
    const ready = Promise.withResolvers<void>();
    const receiver = await connectReceiver(stage, address, (text, { send }) => {
      if (text.startsWith(message)) received(text);
      else if (text.startsWith("0")) send("40");
      else if (text.startsWith("40")) ready.resolve();
      else if (text.startsWith("44")) ready.reject(new Error(`the server refused: ${text}`));
      else if (text === "2") send("3");
    });
    await ready.promise;
    return receiver;
  };
  let publisher: Promise<Receiver> | undefined;
  return {
    connect: async (_n, received) => void (await open(received)),
    async publish(data) {
      // Beside those that are counted: some servers leave the sender out.
      publisher ??= open(() => {});
      (await publisher).send(`${message},${JSON.stringify(data)}]`);
    },
  };
}
