// Redis over TLS: with the authority that we are told to trust, and with no other.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import { silent, within } from "../exchange/redis-node.ts";
import { createAuthority } from "../helpers/certificates.ts";
import { freePort, startRedis } from "../helpers/redis-server.ts";

test("rediss:// works with the authority and the certificate that the server asks for, and stays down with another", { timeout: 30_000 }, async (t) => {
  const authority = await createAuthority(t);
  const { ca } = authority;
  const { cert, key } = await authority.issue("both");
  const other = await createAuthority(t);
  const port = await freePort();
  await startRedis(t, ["--tls-port", String(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca, "--tls-auth-clients", "yes"]);
  const create = (tls: { ca: string; cert: string; key: string }) => {
    const links = createRedisLinks({ addresses: [`rediss://127.0.0.1:${port}`], prefix: "p", log: silent, tls });
    t.after(() => links.close());
    return links;
  };
  const trusted = create({ ca, cert, key });
  await trusted.open();
  assert.equal(trusted.shards[0]?.up, true);
  assert.equal(await trusted.shards[0]?.commands.publish("p:x", "y"), 0);
  const subscriber = trusted.shards[0]?.subscriber() ?? assert.fail();
  t.after(() => subscriber.disconnect());
  await subscriber.connect();
  assert.equal(await subscriber.subscribe("p:x"), 1);
  assert.equal(await trusted.shards[0]?.commands.publish("p:x", "y"), 1);

  const untrusting = create({ ca: other.ca, cert, key });
  await untrusting.open();
  assert.equal(untrusting.shards[0]?.up, false);
  await within(2_000, "a reason", () => /certificate/.test(untrusting.shards[0]?.detail ?? ""));
});

test("PEM files that cannot be used are named, and not quoted", async (t) => {
  const authority = await createAuthority(t);
  const { ca, directory } = authority;
  const { cert, key } = await authority.issue("own");
  const create = (tls: { ca: string; cert: string; key: string }) => () => createRedisLinks({ addresses: ["rediss://h"], prefix: "p", log: silent, tls });
  assert.throws(create({ ca: join(directory, "missing.pem"), cert: "", key: "" }), /exchange\.tls\.ca: .*missing\.pem cannot be read \(ENOENT\)/);
  const broken = join(directory, "broken.pem");
  await writeFile(broken, "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n");
  assert.throws(
    create({ ca: "", cert, key: broken }),
    (error: Error) => /exchange\.tls: the PEM files cannot be used/.test(error.message) && !/hunter2/.test(error.message),
  );
  create({ ca, cert, key });
});
