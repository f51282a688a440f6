// RabbitMQ over TLS: with the authority that we are told to trust, and with no other.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { parseRabbitmqUrl } from "../../server/src/config/broker-url.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { readTlsFiles } from "../../server/src/redis/options.ts";
import { createAuthority } from "../helpers/certificates.ts";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { freePort } from "../helpers/redis-server.ts";
import { numbered, unplaced } from "./contract.ts";
import { createNode, openNode } from "./rabbitmq-node.ts";

const ofFile = { after: (end: unknown) => after(end as () => Promise<void>) };
const [authority, stranger] = [await createAuthority(ofFile), await createAuthority(ofFile)];
const [server, client, strangers] = [await authority.issue("server"), await authority.issue("client"), await stranger.issue("client")];
const port = await freePort();
const settings = {
  "listeners.ssl.1": `127.0.0.1:${port}`,
  "ssl_options.cacertfile": authority.ca,
  "ssl_options.certfile": server.cert,
  "ssl_options.keyfile": server.key,
  "ssl_options.verify": "verify_peer",
  "ssl_options.fail_if_no_peer_cert": "true",
};
const broker = await startRabbitmq(
  { after },
  Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join(""),
);
const urlsOf = (hosts: string, end = "") => parseRabbitmqUrl(`amqps://push:hunter2@${hosts}${end}`).urls;

await broker.ctl("add_vhost", "inner");
await broker.ctl("add_user", "push", "hunter2");
await broker.ctl("set_permissions", "-p", "inner", "push", ".*", ".*", ".*");

test("amqps:// works with the authority and the certificate that the broker asks for, in a virtual host, past a host that is dead", async (t) => {
  const tls = readTlsFiles({ ca: authority.ca, ...client });
  const urls = urlsOf(`127.0.0.1:${await freePort()},127.0.0.1:${port}`, "/inner");
  const [one, two] = [await openNode(t, { urls, exchangeName: "secure", tls }), await openNode(t, { urls, exchangeName: "secure", tls })];
  const target = accountTarget("app", "user_1");
  await two.exchange.hold(target);
  await one.exchange.publish(unplaced(target), numbered(1));
  await two.inbox.count(1);
  assert.match(await broker.ctl("list_connections", "ssl", "vhost"), /^ssl\tvhost\n(true\tinner\n){4}$/);
  assert.doesNotMatch([...one.lines, ...two.lines].join(), /hunter2/);
});

const REFUSED = {
  "an authority that has not signed the broker's certificate": {
    files: { ca: stranger.ca, ...client },
    reason: /: the certificate is not trusted, see exchange\.tls\.ca: self-signed certificate/,
  },
  "the system's authorities for a certificate of our own making": {
    files: { ca: "", ...client },
    reason: /: the certificate is not trusted, see exchange\.tls\.ca: /,
  },
  "a host that the certificate does not name": {
    files: { ca: authority.ca, ...client },
    host: "localhost",
    reason: /: the certificate is for another host$/,
  },
  "no certificate, to a broker that asks for one": {
    files: { ca: authority.ca, cert: "", key: "" },
    reason: /: our certificate is missing or refused, see exchange\.tls\.cert: ERR_SSL\w+CERTIFICATE_REQUIRED$/,
  },
  "a certificate that the broker's authority has not signed": {
    files: { ca: authority.ca, ...strangers },
    reason: /: our certificate is missing or refused, see exchange\.tls\.cert: ERR_SSL\w+UNKNOWN_CA$/,
  },
};

for (const [what, { files, reason, ...more }] of Object.entries(REFUSED)) {
  const host = "host" in more ? more.host : "127.0.0.1";
  test(`${what}: an error at once, which names the host and the setting and no secret`, async () => {
    const { exchange, inbox, lines } = createNode({ urls: urlsOf(`${host}:${port}`, "/inner"), exchangeName: "insecure", tls: readTlsFiles(files) });
    await assert.rejects(exchange.open(inbox.deliver, inbox.resumed), (error: Error) => {
      assert.match(error.message, reason);
      assert.ok(error.message.startsWith(`RabbitMQ refuses us at ${host}:${port}: `), error.message);
      assert.doesNotMatch(`${error.message}${error.stack}${lines.join()}${exchange.state().detail}`, /hunter2|BEGIN/);
      return true;
    });
    assert.equal(exchange.state().up, false);
    await exchange.close();
  });
}
