// TLS on the listener: the certificate of the files, and of the files that replace them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";
import { connectUrl } from "../helpers/client.ts";
import { startServer } from "../helpers/server.ts";

/** A self-signed pair for localhost, made by openssl. */
function makePair(directory: string, name: string): void {
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name} -addext subjectAltName=DNS:localhost,IP:127.0.0.1`;
  execFileSync("openssl", [...args.split(" "), "-keyout", join(directory, "tls.key"), "-out", join(directory, "tls.crt")], { stdio: "ignore" });
}

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "xlvein-tls-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The common name that the listener shows. */
async function shownName(url: string): Promise<string> {
  const socket = connectTls({ port: Number(new URL(url).port), host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

test("clients connect by wss, and a new certificate is shown without a restart; a broken one is not taken", async (t) => {
  const directory = folder(t);
  makePair(directory, "first");
  const files = { cert: join(directory, "tls.crt"), key: join(directory, "tls.key") };
  const server = await startServer(t, { config: { tls: files } });
  assert.match(server.url, /^https:/);
  const socket = new WebSocket(connectUrl(server.url), { rejectUnauthorized: false });
  t.after(() => socket.terminate());
  await once(socket, "open");
  assert.equal(await shownName(server.url), "first");

  makePair(directory, "second");
  while ((await shownName(server.url)) !== "second") await new Promise(setImmediate);
  const refused = () => server.logs.some((line) => line.includes("certificate refused"));
  writeFileSync(files.cert, "not a certificate");
  while (!refused()) await new Promise(setImmediate);
  assert.equal(await shownName(server.url), "second");
  assert.equal(socket.readyState, socket.OPEN, "live sockets are left alone");
});

test("files that cannot be used stop the start with a sentence that names them", async (t) => {
  const directory = folder(t);
  makePair(directory, "one");
  const [cert, key] = [join(directory, "tls.crt"), join(directory, "tls.key")];
  await assert.rejects(startServer(t, { config: { tls: { cert: join(directory, "missing.crt"), key } } }), /tls\.cert.*missing\.crt/s);
  writeFileSync(key, "nonsense");
  await assert.rejects(startServer(t, { config: { tls: { cert, key } } }), /tls\.key/);
});
