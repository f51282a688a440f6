// `xlvein push` and `xlvein test` against a real server.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { type TestContext, test } from "node:test";
import { connect, tokenFor } from "../helpers/client.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { temporaryFolder, xlvein, xlveinHere } from "./bin.ts";

const CREDENTIALS = ["--app", "test", "--secret", SECRET];
const MSG_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An address at which nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

/** Something that speaks HTTP and is not xlvein; it never closes a connection, so a command that waits for that never ends. */
async function strangerUrl(t: TestContext): Promise<string> {
  const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => response.writeHead(404).end("<html>")).listen(0, "127.0.0.1");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a push arrives as it was typed, numbers beyond 2^53 included", async (t) => {
  const { url } = await startServer(t);
  const client = await connect(t, url);
  const { code, stdout, stderr } = await xlvein(["push", ...CREDENTIALS, "--url", url, "--account", "user_1", '{"id": 12345678901234567890, "t":"你好"}']);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  const frame = await client.nextText();
  assert.ok(frame.includes('{"id": 12345678901234567890, "t":"你好"}'), frame);
  assert.equal(stdout, `pushed ${(JSON.parse(frame) as { msg_id: string }).msg_id}\n`);
});

test("several accounts receive one push", async (t) => {
  const { url } = await startServer(t);
  const clients = await Promise.all(["user_1", "用户 2"].map((account) => connect(t, url, { account })));
  const { stdout } = await xlvein(["push", ...CREDENTIALS, "--url", url, "-a", "user_1", "-a", "用户 2", "--json", '{"text":"hi"}']);
  const { msg_id: msgId, duplicate } = JSON.parse(stdout) as { msg_id: string; duplicate: boolean };
  assert.match(msgId, MSG_ID);
  assert.equal(duplicate, false);
  for (const client of clients) assert.equal((await client.next()).msg_id, msgId);
});

test("rooms and everyone receive a push", async (t) => {
  const { url } = await startServer(t);
  const [inside, outside] = [await connect(t, url, { token: tokenFor("user_1", SECRET, { rooms: ["chat:1"] }) }), await connect(t, url, { account: "user_2" })];
  const toRoom = await xlvein(["push", ...CREDENTIALS, "--url", url, "--room", "chat:1", "-r", "empty", '{"text":"room"}']);
  assert.equal(toRoom.stderr, "");
  const { to, event, data, msg_id: msgId } = await inside.next();
  assert.deepEqual([to, event, data], ["chat:1", 2, { text: "room" }]);
  assert.equal(toRoom.stdout, `pushed ${msgId}\n`);
  const toAll = await xlvein(["push", ...CREDENTIALS, "--url", url, "--everyone", "--json", '{"text":"all"}']);
  const { msg_id: all, streams } = JSON.parse(toAll.stdout) as { msg_id: string; streams: unknown[] };
  assert.equal(streams.length, 1);
  for (const client of [inside, outside]) {
    const frame = await client.next();
    assert.deepEqual([frame.msg_id, frame.event, frame.data], [all, 0, { text: "all" }]);
  }
});

test("a push without a receiver, or with one that does not fit, is refused before anything is sent", async () => {
  const cases: [string[], RegExp][] = [
    [["{}"], /^xlvein: --account <account>, --room <room> or --everyone is needed\n$/],
    [["--room", "chat:*", "{}"], /--room <room>.* is invalid\. Expected a text of 1 to 256 characters without \*\./],
    [["--room", "", "{}"], /Expected a text of 1 to 256 characters/],
    [["--classic", "-r", "chat:1", "{}"], /^xlvein: --classic goes to accounts only: leave out --room and --everyone\n$/],
    [["--classic", "--everyone", "-a", "user_1", "{}"], /^xlvein: --classic goes to accounts only/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await xlveinHere(["push", ...CREDENTIALS, ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, message);
  }
});

test("the data may come from standard input", async (t) => {
  const { url } = await startServer(t);
  const client = await connect(t, url);
  const { code } = await xlvein(["push", ...CREDENTIALS, "--url", url, "-a", "user_1", "-"], { input: '{"text":"piped"}\n' });
  assert.equal(code, 0);
  assert.deepEqual((await client.next()).data, { text: "piped" });
});

test("a second push with the same idempotency key says that it was not delivered again", async (t) => {
  const { url } = await startServer(t);
  const args = ["push", ...CREDENTIALS, "--url", url, "-a", "user_1", "--idempotency-key", "order-1", '{"text":"once"}'];
  const first = await xlvein(args);
  const second = await xlvein(args);
  assert.equal(second.code, 0);
  assert.equal(second.stdout, `${first.stdout.trim()} (sent before with this key: not delivered again)\n`);
});

test("--classic pushes with a sign, once for each account", async (t) => {
  const { url } = await startServer(t, { applications: [{ app_key: "test", app_secret: SECRET, push_auth: ["sign"] }] });
  const clients = await Promise.all(["user_1", "用户_2"].map((account) => connect(t, url, { account })));
  const { code, stdout } = await xlvein(["push", "--classic", ...CREDENTIALS, "--url", url, "-a", "user_1", "-a", "用户_2", '{"text":"你好 & = 😀"}']);
  assert.equal(code, 0);
  assert.equal(stdout, "pushed to user_1\npushed to 用户_2\n");
  for (const client of clients) assert.deepEqual((await client.next()).data, { text: "你好 & = 😀" });
});

test("a refusal is told with the server's sentence and code, classic or not", async (t) => {
  const { url } = await startServer(t);
  const wrong = ["--app", "test", "--secret", "not the secret", "--url", url, "-a", "user_1", '{"text":"hi"}'];
  const bearer = await xlvein(["push", ...wrong]);
  assert.equal(bearer.code, 1);
  assert.equal(bearer.stdout, "");
  assert.match(bearer.stderr, /^xlvein: the server refused the push: .*signature.*\(HTTP 401, code 1000\)\n$/);
  const classic = await xlvein(["push", "--classic", ...wrong]);
  assert.equal(classic.code, 1);
  assert.match(classic.stderr, /^xlvein: the server refused the push: sign does not match \(HTTP 200, code 1002\)\n$/);
});

test("--json prints the refusal as the server gave it", async (t) => {
  const { url } = await startServer(t);
  const { code, stdout } = await xlvein(["push", "--app", "nobody", "--secret", SECRET, "--url", url, "-a", "user_1", "--json", '{"text":"hi"}']);
  assert.equal(code, 1);
  assert.equal((JSON.parse(stdout) as { code: number }).code, 1001);
});

test("data that is no JSON object is refused before anything is sent", async () => {
  for (const data of ["hi", "[1]", '{"a":', "", "{} {}"]) {
    const { code, stderr } = await xlveinHere(["push", ...CREDENTIALS, "-a", "user_1", data]);
    assert.equal(code, 2, data);
    assert.match(stderr, /^xlvein: data is not .*expected an object such as \{"text":"hi"\}\n$/);
  }
  const { code, stderr } = await xlveinHere(["push", "--classic", "--idempotency-key", "k", ...CREDENTIALS, "-a", "user_1", "{}"]);
  assert.equal(code, 2);
  assert.match(stderr, /--idempotency-key does not go with --classic/);
});

test("where no server answers the address and the way to start one are named", async () => {
  const url = await deadUrl();
  for (const args of [["push", "-a", "user_1", "{}"], ["push", "--classic", "-a", "user_1", "{}"], ["test"], ["listen", "-a", "user_1"]]) {
    const { code, stderr } = await xlvein([...args, ...CREDENTIALS, "--url", url]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`^xlvein: no server answers at (http|ws)://${new URL(url).host}: .*ECONNREFUSED.*; start one with \`xlvein start\``),
      args[0],
    );
    assert.doesNotMatch(stderr, /^ +at /m);
  }
});

test("an answer that is not xlvein's is told as such", async (t) => {
  const url = await strangerUrl(t);
  for (const args of [
    ["push", "-a", "user_1", "{}"],
    ["push", "--classic", "-a", "user_1", "{}"],
    ["listen", "-a", "user_1"],
  ]) {
    const { code, stderr } = await xlvein([...args, ...CREDENTIALS, "--url", url]);
    assert.equal(code, 1);
    assert.match(stderr, /^xlvein: the server answered 404 .*is it xlvein\?\n$/, args[0]);
  }
});

test("test prints a URL that connects, and pushes the sample to it", async (t) => {
  const { url, file } = await startServer(t);
  const client = await connect(t, url);
  const { code, stdout, stderr } = await xlvein(["test", "--config", file, "--url", url]);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  const [address = "", pushed] = stdout.split("\n");
  assert.equal(pushed, 'pushed {"text":"123123123123123"} to user_1');
  assert.deepEqual((await client.next()).data, { text: "123123123123123" });
  const token = new URL(address).searchParams.get("token") ?? "";
  assert.equal(new URL(address).searchParams.get("app_id"), "test");
  const tab = await connect(t, url, { token });
  await xlvein(["test", "--config", file, "--url", url]);
  assert.deepEqual((await tab.next()).data, { text: "123123123123123" });
});

test("test needs app test, and says so where it is not configured", async (t) => {
  const cwd = await temporaryFolder(t);
  const { code, stderr } = await xlveinHere(["test"], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /no application is configured here/);
});
