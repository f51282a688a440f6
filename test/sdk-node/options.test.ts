// Making a client: what is accepted, what is refused, and that it keeps its secret.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { inspect } from "node:util";
import { createXlvein, VERSION, type XlveinOptions } from "../../sdk-node/src/index.ts";

const good: XlveinOptions = { url: "http://127.0.0.1:8090", appKey: "test", appSecret: "a-secret-nobody-should-see" };

const refused: [string, Record<string, unknown>, RegExp][] = [
  ["no url", { url: undefined }, /^createXlvein: url must be a non-empty string$/],
  ["an empty url", { url: "" }, /url must be a non-empty string/],
  ["a url without a scheme", { url: "localhost:8090" }, /url must begin with http:\/\/, https:\/\/, ws:\/\/ or wss:\/\//],
  ["a url of another scheme", { url: "ftp://127.0.0.1" }, /url must begin with/],
  ["a url with a password", { url: "https://me:hunter2@push.example.com" }, /url must not hold a user name or password/],
  ["a url with a query", { url: "http://127.0.0.1/?a=1" }, /url must not have a query/],
  ["a public url that is none", { publicUrl: "push.example.com" }, /publicUrl must begin with/],
  ["no app key", { appKey: undefined }, /appKey must be a non-empty string/],
  ["a numeric app key", { appKey: 7 }, /appKey must be a non-empty string/],
  ["no secret", { appSecret: "" }, /appSecret must be a non-empty string/],
  ["a time-out of none", { timeoutMs: 0 }, /timeoutMs must be 1 to/],
  ["a time-out as text", { timeoutMs: "10s" }, /timeoutMs must be a whole number/],
  ["an endless total", { totalTimeoutMs: Number.POSITIVE_INFINITY }, /totalTimeoutMs must be a whole number/],
  ["a negative number of retries", { retries: -1 }, /retries must be 0 to 10, got -1/],
  ["endless retries", { retries: 1000 }, /retries must be 0 to 10, got 1000/],
  ["a batch that is none", { batch: true }, /batch must be an object/],
  ["a batch of one", { batch: { maxMessages: 1 } }, /batch\.maxMessages must be 2 to 1000, got 1/],
  ["a batch that waits for ever", { batch: { maxDelayMs: 60_000 } }, /batch\.maxDelayMs must be 0 to 1000/],
  ["a fetch that is none", { fetch: "fetch" }, /fetch must be a function/],
];

for (const [what, change, message] of refused) {
  test(`${what} is refused with its name`, () => {
    const create = (): unknown => createXlvein({ ...good, ...change } as XlveinOptions);
    assert.throws(create, (error: unknown) => {
      assert.ok(error instanceof TypeError || error instanceof RangeError);
      assert.match(error.message, message);
      assert.doesNotMatch(inspect(error), /nobody-should-see|hunter2/);
      return true;
    });
  });
}

test("nothing at all is refused with a hint", () => {
  assert.throws(() => (createXlvein as () => unknown)(), /pass an object with url, appKey and appSecret/);
});

test("a client shows neither its secret nor a token when it is printed", async () => {
  const client = createXlvein({ ...good, fetch: async () => Response.json({ msg_id: "m", duplicate: false }) });
  await client.push({ account: "user_1", data: {} });
  const shown = inspect(client, { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true }) + JSON.stringify(client);
  assert.doesNotMatch(shown, /nobody-should-see/);
  assert.doesNotMatch(shown, /eyJ/);
  assert.match(shown, /pushMany/);
});

test("a client cannot be changed, and its methods work without it", () => {
  assert.ok(Object.isFrozen(createXlvein(good)));
  const { connectUrl } = createXlvein(good);
  assert.match(connectUrl("user_1"), /^ws:\/\/127\.0\.0\.1:8090\/ws\/connect\?app_id=test&token=/);
});

test("the version is the package's", async () => {
  const text = await readFile(new URL("../../sdk-node/package.json", import.meta.url), "utf8");
  assert.equal((JSON.parse(text) as { version: string }).version, VERSION);
});
