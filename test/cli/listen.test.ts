// `xlvein listen` and `xlvein client` against a real server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { push, pushOpen } from "../helpers/client.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { startXlvein, xlvein, xlveinHere } from "./bin.ts";

const CREDENTIALS = ["--app", "test", "--secret", SECRET];

test("listen prints each message for a person, the data as it was sent", async (t) => {
  const { url } = await startServer(t);
  const listening = startXlvein(t, ["listen", ...CREDENTIALS, "--url", url, "--account", "user_1", "--count", "2"]);
  assert.equal(await listening.line(/connected/), `connected to ${url} as user_1 of test; Ctrl-C ends`);
  await push(url, ["user_1"], { text: "first" });
  await fetch(`${url}/api/v1/im/push`, {
    method: "POST",
    body: new URLSearchParams({ app_key: "test", send_to: "user_1", message: '{"id": 12345678901234567890}', nonce: "n" }),
  });
  assert.deepEqual(await listening.ended, { code: 0, signal: null });
  assert.match(listening.printed.stdout, /^\d\d:\d\d:\d\d\.\d{3}Z backend: \{"text":"first"\}\n\S+ backend: \{"id": 12345678901234567890\}\n$/);
});

test("listen --json prints each frame on a line of its own and nothing else", async (t) => {
  const { url } = await startServer(t);
  const listening = startXlvein(t, ["listen", ...CREDENTIALS, "--url", url, "--account", "用户", "--json"]);
  // Nothing is printed at the start: the account is reachable once a push to it is printed.
  let arrived = false;
  const line = listening.line(/arrived/).finally(() => {
    arrived = true;
  });
  while (!arrived) await Promise.race([line, pushOpen(url, "用户", { text: "arrived" })]);
  const frame = JSON.parse(await line) as { to: string; data: unknown; event: number };
  assert.equal(frame.to, "用户");
  assert.equal(frame.event, 0);
  assert.deepEqual(frame.data, { text: "arrived" });
  listening.child.kill("SIGTERM");
  assert.deepEqual(await listening.ended, { code: 0, signal: null });
  assert.equal(listening.printed.stderr, "");
});

test("listen ends with the server's reason when it is refused", async (t) => {
  const { url } = await startServer(t);
  const { code, stdout, stderr } = await xlvein(["listen", "--app", "test", "--secret", "not the secret", "--url", url, "-a", "user_1"]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^xlvein: the server refused the connection: .*signature.*\(HTTP 401, code 1000\)\n$/);
});

test("listen ends with the close code when the server closes", async (t) => {
  const { url, server } = await startServer(t);
  const listening = startXlvein(t, ["listen", ...CREDENTIALS, "--url", url, "-a", "user_1"]);
  await listening.line(/connected/);
  await server.drain();
  assert.deepEqual(await listening.ended, { code: 1, signal: null });
  assert.match(listening.printed.stderr, /xlvein: the server closed the connection: 1012 /);
});

test("Ctrl-C ends listen without an error", async (t) => {
  const { url } = await startServer(t);
  const listening = startXlvein(t, ["listen", ...CREDENTIALS, "--url", url, "-a", "user_1"]);
  await listening.line(/connected/);
  listening.child.kill("SIGINT");
  assert.deepEqual(await listening.ended, { code: 0, signal: null });
});

test("client connects as user_1 of app test and after 5 s sends itself a message", async (t) => {
  const { url, file } = await startServer(t);
  const client = startXlvein(t, ["client", "--config", file, "--url", url, "--count", "1"]);
  assert.match(await client.line(/connected/), /as user_1 of test;/);
  const startedAt = performance.now();
  assert.match(await client.line(/hello/), /^\S+ user_1: \{"text":"hello from user_1"\}$/);
  assert.ok(performance.now() - startedAt > 4_000);
  assert.deepEqual(await client.ended, { code: 0, signal: null });
});

test("a count that is none is refused", async () => {
  for (const count of ["0", "-1", "1.5", "many"]) {
    const { code, stderr } = await xlveinHere(["listen", ...CREDENTIALS, "-a", "user_1", "-n", count]);
    assert.equal(code, 2);
    assert.match(stderr, /whole number above 0/);
  }
});
