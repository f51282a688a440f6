// The Pusher protocol, version 7, by URL, `http://KEY:SECRET@host:port/APP_ID`: a public channel, published to over the HTTP API.
import { createHash, createHmac } from "node:crypto";
import { connectReceiver } from "../harness/receiver.ts";
import { CHANNEL, credentials, httpOf, type PeerProtocol, post, type Target, wsOf } from "./protocol.ts";

const NEEDED = "key, secret and application: http://KEY:SECRET@host:port/APP_ID";
const EVENT = "message";

export function pusher({ stage, url }: Target): PeerProtocol {
  const [key, secret] = credentials(url, NEEDED);
  const appId = url.pathname.slice(1);
  if (!/^[^/]+$/.test(appId)) throw new Error(`--peer: the address needs ${NEEDED}`);
  return {
    async connect(_n, received) {
      const ready = Promise.withResolvers<void>();
      await connectReceiver(stage, `${wsOf(url)}/app/${key}?protocol=7&client=bench&version=1.0`, (text, { send }) => {
        if (text.includes(`"event":"${EVENT}"`)) return received(text);
        const { event } = JSON.parse(text) as { event: string };
        if (event === "pusher:connection_established") send(JSON.stringify({ event: "pusher:subscribe", data: { channel: CHANNEL } }));
        else if (event === "pusher_internal:subscription_succeeded") ready.resolve();
        else if (event === "pusher:ping") send('{"event":"pusher:pong","data":{}}');
        else if (event === "pusher:error") ready.reject(new Error(`the server refused: ${text}`));
        else if (event === EVENT) received(text);
      });
      await ready.promise;
    },
    async publish(data) {
      const body = JSON.stringify({ name: EVENT, channels: [CHANNEL], data: JSON.stringify(data) });
      const path = `/apps/${appId}/events`;
      await post(`${httpOf(url)}${path}?${signedQuery(key, secret, path, body)}`, body);
    },
  };
}

/** https://pusher.com/docs/channels/library_auth_reference/rest-api/#authentication */
function signedQuery(key: string, secret: string, path: string, body: string): string {
  const md5 = createHash("md5").update(body).digest("hex");
  const query = `auth_key=${key}&auth_timestamp=${Math.floor(Date.now() / 1_000)}&auth_version=1.0&body_md5=${md5}`;
  return `${query}&auth_signature=${createHmac("sha256", secret).update(`POST\n${path}\n${query}`).digest("hex")}`;
}
