// Redis over TLS: with the authority that we are told to trust, and with no other.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import { silent, within } from "../exchange/redis-node.ts";
import { freePort, startRedis } from "../helpers/redis-server.ts";

const openssl = (...args: string[]) => promisify(execFile)("openssl", args);

/** A self-signed certificate for 127.0.0.1 and its key; the certificate is its own authority. */
async function certificate(t: TestContext): Promise<{ cert: string; key: string; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-tls-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const subject = ["-subj", "/CN=xlvein test", "-addext", "subjectAltName=IP:127.0.0.1"];
  await openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", cert, ...subject);
  return { cert, key, directory };
}

test("rediss:// works with the authority and the certificate that the server asks for, and stays down with another", { timeout: 30_000 }, async (t) => {
  const { cert, key } = await certificate(t);
  const other = await certificate(t);
  const port = await freePort();
  await startRedis(t, ["--tls-port", String(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "yes"]);
  const create = (tls: { ca: string; cert: string; key: string }) => {
    const links = createRedisLinks({ addresses: [`rediss://127.0.0.1:${port}`], prefix: "p", log: silent, tls });
    t.after(() => links.close());
    return links;
  };
  const trusted = create({ ca: cert, cert, key });
  await trusted.open();
  assert.equal(trusted.shards[0]?.up, true);
  assert.equal(await trusted.shards[0]?.commands.publish("p:x", "y"), 0);
  const subscriber = trusted.shards[0]?.subscriber() ?? assert.fail();
  t.after(() => subscriber.disconnect());
  await subscriber.connect();
  assert.equal(await subscriber.subscribe("p:x"), 1);
  assert.equal(await trusted.shards[0]?.commands.publish("p:x", "y"), 1);

  const untrusting = create({ ca: other.cert, cert, key });
  await untrusting.open();
  assert.equal(untrusting.shards[0]?.up, false);
  await within(2_000, "a reason", () => /certificate/.test(untrusting.shards[0]?.detail ?? ""));
});

test("PEM files that cannot be used are named, and not quoted", async (t) => {
  const { cert, key, directory } = await certificate(t);
  const create = (tls: { ca: string; cert: string; key: string }) => () => createRedisLinks({ addresses: ["rediss://h"], prefix: "p", log: silent, tls });
  assert.throws(create({ ca: join(directory, "missing.pem"), cert: "", key: "" }), /exchange\.tls\.ca: .*missing\.pem cannot be read \(ENOENT\)/);
  const broken = join(directory, "broken.pem");
  await writeFile(broken, "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n");
  assert.throws(
    create({ ca: "", cert, key: broken }),
    (error: Error) => /exchange\.tls: the PEM files cannot be used/.test(error.message) && !/hunter2/.test(error.message),
  );
  create({ ca: cert, cert, key });
});
