// A client and a backend written for the Go service, from its documentation alone: nothing here knows this project's code or SDKs.
import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WebSocket } from "ws";
import { startProcess } from "../helpers/process.ts";

const SAMPLE_SECRET = "j8jasd98efan9sdfj89asjdf";

/** `jwt.sign({sub}, secret, {expiresIn: 3600*24*30})` with the SDK's issuer, by hand. */
function makeToken(account: string, secret = SAMPLE_SECRET): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 * 24 * 30, iss: "TimeToken", sub: account })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

function makeSign(appKey: string, message: string, nonce: string, sendTo: string, secret = SAMPLE_SECRET): string {
  return createHash("md5").update(`app_key=${appKey}&message=${message}&nonce=${nonce}&send_to=${sendTo}&key=${secret}`).digest("hex").toUpperCase();
}

/** The original SDK's push: a form with everything it ever sent. */
async function push(
  host: string,
  sendTo: string,
  message: string,
  change: Record<string, string> = {},
): Promise<{ status: number; body: { error: number; message: string; data: object } }> {
  const nonce = randomBytes(8).toString("hex");
  const fields = {
    app_key: "test",
    send_to: sendTo,
    message,
    nonce,
    sign: makeSign("test", message, nonce, sendTo),
    platform: "go",
    version: "1.0",
    ts: "1",
    channel: "x",
    device_no: "1",
    ...change,
  };
  const body = Object.entries(fields)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join("&");
  const call = request(`http://${host}/api/v1/im/push`, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": Buffer.byteLength(body) },
  });
  call.end(body);
  const [response] = (await once(call, "response")) as [AsyncIterable<Buffer> & { statusCode: number }];
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, body: JSON.parse(text) };
}

async function login(host: string, account: string, appId = "test"): Promise<{ ws: WebSocket; frame(): Promise<string> }> {
  const ws = new WebSocket(`ws://${host}/ws/connect?app_id=${appId}&token=${makeToken(account)}`);
  const inbox: string[] = [];
  ws.on("message", (data, binary) => {
    assert.equal(binary, false, "frames are text");
    inbox.push(String(data));
    ws.emit("inbox");
  });
  await once(ws, "open");
  return {
    ws,
    async frame() {
      while (inbox.length === 0) await once(ws, "inbox");
      return inbox.shift() as string;
    },
  };
}

/** The original's conf.yaml, as in its repository, but for a port that is free here. */
const ORIGINAL_CONF = `debug: true
app: "xlvein"
host: "127.0.0.1:0"
exchange:
  type: "local"               # local | redis | rabbitmq
  exchange_name: "xlvein.im"
  queue_name: "xlvein.im.queue"
  rabbitmq: "amqp://xlvein:WFxg5FNMedN@T$z@127.0.0.1:5672/vein"
  redis: "127.0.0.1:6379"
mysql: {dsn: "unrelated"}
applications:
  - {app_key: "test",  app_secret: "j8jasd98efan9sdfj89asjdf"}
  - {app_key: "test2", app_secret: "j8jasd98efan9sdfj89asjdf"}
`;

test("the original's flow works against the original's configuration file", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "original.yaml");
  await writeFile(file, ORIGINAL_CONF);
  const server = await startProcess(t, { file }, { XLVEIN_INTERNAL_PORT: "0" });
  const host = new URL(server.url).host;

  await t.test("a push reaches every device of the account, and nobody else", async () => {
    const [phone, laptop, other, otherApp] = await Promise.all([
      login(host, "user_1"),
      login(host, "user_1"),
      login(host, "user_2"),
      login(host, "user_1", "test2"),
    ]);
    const before = Date.now();
    const { status, body } = await push(host, "user_1", '{"text":"123123123123123"}');
    assert.equal(status, 200);
    assert.deepEqual(body, { error: 0, message: "", data: {} });
    for (const device of [phone, laptop]) {
      const frame = JSON.parse(await device.frame());
      assert.equal(frame.to, "user_1");
      assert.ok(!frame.from, "a push has no sender");
      assert.ok(!frame.conversation_id, "a push has no conversation");
      assert.strictEqual(frame.event, 0, "event is always there");
      assert.deepEqual(frame.data, { text: "123123123123123" });
      assert.equal(typeof frame.msg_id, "string");
      assert.ok(frame.send_at >= before && frame.send_at <= Date.now(), "send_at is in milliseconds");
    }
    await push(host, "user_2", '{"n":2}');
    assert.deepEqual(JSON.parse(await other.frame()).data, { n: 2 });
    otherApp.ws.send('{"to":"user_1","data":{"own":true}}');
    assert.deepEqual(JSON.parse(await otherApp.frame()).data, { own: true }, "the first frame of the other application is its own");
    for (const { ws } of [phone, laptop, other, otherApp]) ws.close();
  });

  await t.test("clients send to each other; the server names the sender and the conversation", async () => {
    const [one, two] = await Promise.all([login(host, "user_1"), login(host, "用户_2")]);
    one.ws.send(JSON.stringify({ to: "用户_2", from: "admin", event: 0, data: { text: "你好 & = 😀" } }));
    const frame = JSON.parse(await two.frame());
    assert.deepEqual(
      { ...frame, msg_id: "", send_at: 0 },
      { from: "user_1", to: "用户_2", event: 1, data: { text: "你好 & = 😀" }, msg_id: "", send_at: 0, conversation_id: "用户_2" },
    );
    for (const { ws } of [one, two]) ws.close();
  });

  await t.test("frames that the original skipped or died of are skipped, and binary is read as text", async () => {
    const { ws, frame } = await login(host, "user_1");
    for (const text of ["not json", "{}", '{"to":"user_1"}', '{"to":"user_1","event":2,"data":{}}', "[]"]) ws.send(text);
    ws.send(Buffer.from('{"to":"user_1","data":{"binary":"ü"}}'));
    assert.deepEqual(JSON.parse(await frame()).data, { binary: "ü" });
    ws.close();
  });

  await t.test("numbers beyond 2^53 and the order of members survive both roads", async () => {
    const { ws, frame } = await login(host, "user_1");
    const data = '{"z":12345678901234567890,"a":0.1000000000000000055511151231257827,"e":1E400,"n":-0,"u":"\\u4f60"}';
    await push(host, "user_1", data);
    assert.ok((await frame()).includes(`"data":${data},`));
    ws.send(`{"to":"user_1","data":${data}}`);
    assert.ok((await frame()).includes(`"data":${data},`));
    ws.close();
  });

  await t.test("result codes are those of the original, always with status 200", async () => {
    for (const [change, error] of [
      [{ app_key: "nobody" }, 1001],
      [{ sign: "0".repeat(32) }, 1002],
      [{ message: "[]", nonce: "n1", sign: makeSign("test", "[]", "n1", "user_1") }, 1003],
      [{ send_to: "" }, 400],
    ] as const) {
      const { status, body } = await push(host, "user_1", "{}", change);
      assert.equal(status, 200);
      assert.equal(body.error, error, body.message);
      assert.ok(body.message);
      assert.deepEqual(body.data, {});
    }
  });

  await t.test("a replayed push gets the first answer and delivers nothing twice", async () => {
    const { ws, frame } = await login(host, "user_1");
    const replay = { nonce: "once", sign: makeSign("test", '{"n":1}', "once", "user_1") };
    for (let i = 0; i < 5; i++) assert.equal((await push(host, "user_1", '{"n":1}', replay)).body.error, 0);
    await push(host, "user_1", '{"n":2}');
    assert.equal(JSON.parse(await frame()).data.n, 1);
    assert.equal(JSON.parse(await frame()).data.n, 2);
    const other = { nonce: "once", sign: makeSign("test", '{"n":3}', "once", "user_1") };
    assert.equal((await push(host, "user_1", '{"n":3}', other)).body.error, 1005);
    ws.close();
  });

  await t.test("a wrong token is refused with a status and the original's body", async () => {
    for (const [query, status, error] of [
      [`app_id=test&token=${makeToken("user_1", "wrong")}`, 401, 1000],
      [
        "app_id=test&token=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE2NzkwMjQ2ODYsImlzcyI6IlRpbWVUb2tlbiIsInN1YiI6InVzZXJfMSJ9.qANpLFH-Z8z2inP_8NT6FAysR1EWvwPWDfFlNWf0RbY",
        401,
        1000,
      ],
      [`app_id=nobody&token=${makeToken("user_1")}`, 404, 1001],
    ] as const) {
      const ws = new WebSocket(`ws://${host}/ws/connect?${query}`);
      ws.on("error", () => {});
      const [, response] = (await once(ws, "unexpected-response")) as [unknown, AsyncIterable<Buffer> & { statusCode: number }];
      let text = "";
      for await (const chunk of response) text += chunk;
      assert.equal(response.statusCode, status);
      assert.equal(JSON.parse(text).error, error);
      assert.ok(JSON.parse(text).message);
    }
  });
});
