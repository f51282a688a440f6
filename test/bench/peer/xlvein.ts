// Our own protocol by URL, `http://APP_KEY:APP_SECRET@host:port`: classic clients in a room that their token names.
import { apiToken, connectUrl, tokenFor } from "../../helpers/client.ts";
import { connectReceiver } from "../harness/receiver.ts";
import { CHANNEL, credentials, httpOf, type PeerProtocol, post, type Target } from "./protocol.ts";

/** The application's `push_auth` has to allow `bearer`. */
export function xlvein({ stage, url }: Target): PeerProtocol {
  const [app, secret] = credentials(url, "the application: http://APP_KEY:APP_SECRET@host:port");
  const base = httpOf(url);
  let token = { text: "", untilMs: 0 };
  return {
    async connect(n, received) {
      const address = connectUrl(base, { app, token: tokenFor(`bench_${n}`, secret, { rooms: [CHANNEL] }) });
      await connectReceiver(stage, address, received);
    },
    async publish(data) {
      if (Date.now() > token.untilMs) token = { text: apiToken(app, secret), untilMs: Date.now() + 30_000 };
      await post(`${base}/api/v1/messages`, JSON.stringify({ rooms: [CHANNEL], data }), { authorization: `Bearer ${token.text}` });
    },
  };
}
