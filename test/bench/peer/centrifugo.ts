// Centrifugo by URL, `http://TOKEN_SECRET:API_KEY@host:port`: its JSON protocol, clients that their token subscribes to a channel, published to over the HTTP API.
import { tokenFor } from "../../helpers/client.ts";
import { connectReceiver } from "../harness/receiver.ts";
import { CHANNEL, credentials, httpOf, type PeerProtocol, post, type Target, wsOf } from "./protocol.ts";

/** The path of the address, if there is one, is that of the WebSocket endpoint. */
export function centrifugo({ stage, url }: Target): PeerProtocol {
  const [secret, apiKey] = credentials(url, "the HMAC secret of its tokens and its API key: http://TOKEN_SECRET:API_KEY@host:port");
  const path = url.pathname === "/" ? "/connection/websocket" : url.pathname;
  return {
    async connect(n, received) {
      const ready = Promise.withResolvers<void>();
      const { send } = await connectReceiver(stage, `${wsOf(url)}${path}`, (text, receiver) => {
        // One frame may hold several replies, a line each.
        for (const line of text.split("\n")) {
          if (line === "{}") receiver.send("{}");
          else if (line.startsWith('{"push"')) received(line);
          else if (line.includes('"error"')) ready.reject(new Error(`the server refused: ${line}`));
          else if (line.includes('"connect"')) ready.resolve();
        }
      });
      send(JSON.stringify({ id: 1, connect: { token: tokenFor(`bench_${n}`, secret, { channels: [CHANNEL] }) } }));
      await ready.promise;
    },
    async publish(data) {
      const answer = await post(`${httpOf(url)}/api/publish`, JSON.stringify({ channel: CHANNEL, data }), { "x-api-key": apiKey });
      if (answer.includes('"error"')) throw new Error(`/api/publish was answered ${answer}`);
    },
  };
}
