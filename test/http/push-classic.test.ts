// The classic push door: what old callers send, and each thing that can be wrong with it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { App } from "../../server/src/apps/app.ts";
import { classicSign } from "../../server/src/auth/sign.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { makeApp, makeSecret, SECRET } from "../auth/apps.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, type Fixture, type FixtureOptions, readMetric } from "./fixture.ts";

const PATH = "/api/v1/im/push";
const FIELDS = { app_key: "test", send_to: "user_1", message: '{"text":"hi"}', nonce: "n-1" };

type Fields = Record<string, unknown>;

function signed(fields: typeof FIELDS, secret = SECRET): typeof FIELDS & { sign: string } {
  return { ...fields, sign: classicSign(fields, secret) };
}

async function post(fixture: Fixture, payload: Fields | string, headers: Record<string, string> = {}) {
  const response = await fixture.api.inject({ method: "POST", url: PATH, payload, headers });
  assert.equal(response.statusCode, 200);
  assert.match(String(response.headers["content-type"]), /^application\/json/);
  const body = response.json<{ error: number; message: string; data: unknown }>();
  assert.deepEqual(Object.keys(body), ["error", "message", "data"]);
  assert.deepEqual(body.data, {});
  return { ...body, headers: response.headers };
}

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const postForm = (fixture: Fixture, fields: Record<string, string>) => post(fixture, new URLSearchParams(fields).toString(), FORM);

/** An API whose application takes unproven pushes, so that only the fields matter. */
function openFixture(app: Parameters<typeof makeApp>[0] = {}, options: FixtureOptions = {}): Promise<Fixture> {
  return createFixture({ apps: [makeApp({ pushAuth: new Set(["open", "sign", "bearer"]), ...app })], ...options });
}

describe("a classic push", () => {
  it("is accepted as form and as JSON with the signs of old callers", async () => {
    const { vectors } = JSON.parse(readFileSync(new URL("../vectors/sign.json", import.meta.url), "utf8")) as {
      vectors: (typeof FIELDS & { secret: string; sign: string })[];
    };
    const fixture = await createFixture({
      apps: [makeApp({ secrets: [...new Set(vectors.map(({ secret }) => secret))].map((text) => makeSecret(text, text)) })],
    });
    for (const { secret: _, ...fields } of vectors) {
      for (const reply of [await postForm(fixture, fields), await post(fixture, fields)]) assert.deepEqual([reply.error, reply.message], [0, ""]);
      const pushed = fixture.pushed.splice(0);
      assert.equal(pushed.length, 2);
      for (const { app, targets, draft, key } of pushed) {
        assert.equal(app, "test");
        assert.deepEqual(targets, [{ app: "test", kind: "account", name: fields.send_to }]);
        assert.deepEqual(draft, { event: 0, data: fields.message });
        assert.deepEqual(key, { kind: "nonce", value: fields.nonce, ttlMs: 300_000, onOtherBody: "refuse" });
      }
    }
    assert.equal(fixture.authenticated, 8);
  });

  it("passes a JSON message on as it stands in the body, and signs that text", async () => {
    const fixture = await createFixture();
    const message = '{ "id": 12345678901234567890, "n":1.10, "id":2,\n"u":"\\u4f60" }';
    const { sign } = signed({ ...FIELDS, message });
    const body = `{"message":{"old":1},"app_key":"test","send_to":"user_1","nonce":"n-1","sign":"${sign}","\\u006dessage" : ${message} }`;
    assert.equal((await post(fixture, body, { "content-type": "application/json" })).error, 0);
    assert.equal(fixture.pushed[0]?.draft.data, message);
    assert.equal((await post(fixture, body.replace("1.10", "1.1"), { "content-type": "application/json" })).error, ErrorCode.SIGN_INVALID);
  });

  it("ignores the optional fields of old callers, and others", async () => {
    const fixture = await createFixture();
    const optional = { platform: "ios", version: "1.2", ts: "1700000000", channel: "c", device_no: "d", whatever: "x" };
    assert.equal((await postForm(fixture, { ...signed(FIELDS), ...optional })).error, 0);
    assert.equal((await post(fixture, { ...signed(FIELDS), ...optional, ts: 5, deep: [[[[[]]]]] })).error, 0);
  });

  it("names each field that is missing, of a wrong type or out of bounds", async () => {
    const fixture = await openFixture();
    for (const name of Object.keys(FIELDS)) {
      const { [name]: _, ...rest } = FIELDS as Record<string, string>;
      for (const reply of [await post(fixture, rest), await postForm(fixture, rest)])
        assert.deepEqual([reply.error, reply.message], [400, `body.${name} is missing`]);
      const empty = await postForm(fixture, { ...FIELDS, [name]: "" });
      assert.equal(empty.error, 400);
      assert.match(empty.message, new RegExp(`^body\\.${name} must not`));
      for (const value of [1, null, true, [], name === "message" ? 7 : {}]) {
        const reply = await post(fixture, { ...FIELDS, [name]: value });
        assert.deepEqual([reply.error, reply.message], [400, `body.${name} must be ${name === "message" ? "a string or an object" : "a string"}`]);
      }
      if (name !== "message")
        assert.match((await post(fixture, { ...FIELDS, [name]: "a\ud800" })).message, new RegExp(`^body\\.${name} holds half of a surrogate`));
    }
    for (const [name, length] of [
      ["app_key", 129],
      ["send_to", 4_097],
      ["nonce", 257],
      ["sign", 65],
    ] as const) {
      const reply = await post(fixture, { ...FIELDS, [name]: "x".repeat(length) });
      assert.deepEqual([reply.error, reply.message], [400, `body.${name} must not have more than ${length - 1} characters`]);
    }
    assert.equal((await post(fixture, { ...FIELDS, sign: 1 })).message, "body.sign must be a string");
    const all = await post(fixture, {});
    assert.deepEqual([all.error, all.message], [400, "body.app_key is missing; body.send_to is missing; body.message is missing (and 1 more)"]);
    assert.equal(fixture.pushed.length, 0);
  });

  it("is refused when its message is not a JSON object, is too deep or too large", async () => {
    const fixture = await openFixture({ limits: { maxMessageBytes: 100 } }, { limits: { jsonDepth: 3 } });
    for (const message of ["[]", "null", '"x"', "17", "{x", "{}}", "{'a':1}", "hi there", '{"a":1,}']) {
      const reply = await postForm(fixture, { ...FIELDS, message });
      assert.equal(reply.error, ErrorCode.MESSAGE_INVALID);
      assert.match(reply.message, /^body\.message is not (a JSON object|valid JSON)/);
    }
    const deep = '{"a":[[[]]]}';
    for (const reply of [await postForm(fixture, { ...FIELDS, message: deep }), await post(fixture, { ...FIELDS, message: JSON.parse(deep) as object })]) {
      assert.deepEqual([reply.error, reply.message], [ErrorCode.MESSAGE_INVALID, "body.message is nested deeper than 3 levels"]);
    }
    assert.equal((await post(fixture, { ...FIELDS, message: { a: [{}] } })).error, 0);
    const fits = `{"a":"${"é".repeat(46)}"}`;
    assert.equal(Buffer.byteLength(fits), 100);
    assert.equal((await post(fixture, { ...FIELDS, message: fits })).error, 0);
    const large = await post(fixture, { ...FIELDS, message: fits.replace('"}', 'x"}') });
    assert.deepEqual([large.error, large.message], [ErrorCode.PAYLOAD_TOO_LARGE, "body.message is larger than 100 bytes"]);
    assert.match((await post(fixture, { ...FIELDS, message: '{"a":"\ud800"}' })).message, /^body\.message holds half of a surrogate/);
  });

  it("is refused when the body itself is wrong, still in the classic form", async () => {
    const fixture = await openFixture({}, { limits: { bodyBytes: 500 } });
    const json = { "content-type": "application/json" };
    const cases: [string | Buffer, Record<string, string>, number, RegExp][] = [
      ["{", json, 400, /^body is not valid JSON: fault at position 1$/],
      ["", json, 400, /^body must be an object$/],
      ["[]", json, 400, /^body must be an object$/],
      ["null", json, 400, /^body must be an object$/],
      ["a=%ff", FORM, 400, /^body\.a is not valid percent-encoded UTF-8$/],
      ["nonce=1&nonce=2", FORM, 400, /^body\.nonce is given more than once$/],
      [Buffer.from([0x61, 0x3d, 0xff]), FORM, 400, /^body is not valid UTF-8$/],
      [Buffer.from('{"a":"\xff"}', "latin1"), json, 400, /^body is not valid UTF-8$/],
      ["x".repeat(501), json, 413, /^body is larger/],
      ["<xml/>", { "content-type": "text/xml" }, 415, /content-type/],
      ["x", { "content-type": "multipart/form-data; boundary=x" }, 415, /content-type/],
      ["x", { "content-type": "nonsense" }, 415, /content-type/],
      ["{}", {}, 415, /content-type/],
      ["a=1", { ...FORM, "content-encoding": "br" }, 415, /content-encoding/],
      ["", {}, 400, /^body is missing$/],
    ];
    for (const [payload, headers, error, message] of cases) {
      const reply = await post(fixture, payload as string, headers);
      assert.equal(reply.error, error, `${String(payload)}: ${reply.message}`);
      assert.match(reply.message, message);
    }
    assert.equal((await post(fixture, JSON.stringify(FIELDS), { "content-type": "Application/JSON; charset=utf-8" })).error, 0);
  });
});

describe("who may push on the classic path", () => {
  const changed = (app: Partial<App>) => [makeApp(app as Parameters<typeof makeApp>[0])];

  it("needs an application that exists and is enabled", async () => {
    const fixture = await createFixture({ apps: [makeApp(), makeApp({ key: "off", enabled: false, pushAuth: new Set(["open"]) })] });
    for (const app_key of ["nobody", "constructor", "__proto__", "Test", "test "]) {
      assert.equal((await post(fixture, signed({ ...FIELDS, app_key }))).error, ErrorCode.APP_NOT_FOUND);
      assert.equal((await post(fixture, { ...FIELDS, app_key })).error, ErrorCode.APP_NOT_FOUND);
      assert.equal((await post(fixture, { ...FIELDS, app_key }, { authorization: bearer() })).error, ErrorCode.APP_NOT_FOUND);
    }
    assert.equal((await post(fixture, signed({ ...FIELDS, app_key: "off" }))).error, ErrorCode.APP_DISABLED);
    assert.deepEqual([fixture.pushed.length, fixture.authenticated], [0, 0]);
  });

  it("is proved by a sign, which must be right when it is given", async () => {
    const fixture = await createFixture({ apps: changed({ pushAuth: new Set(["sign", "open"]) }) });
    assert.equal((await post(fixture, signed(FIELDS))).error, 0);
    const wrong = await post(fixture, { ...FIELDS, sign: signed(FIELDS).sign.toLowerCase() });
    assert.deepEqual([wrong.error, wrong.message], [ErrorCode.SIGN_INVALID, "sign does not match"]);
    assert.equal((await post(fixture, { ...signed(FIELDS), send_to: "user_2" })).error, ErrorCode.SIGN_INVALID);
    const shifted = { ...FIELDS, nonce: "n&send_to=x" };
    const reply = await post(fixture, signed(shifted));
    assert.deepEqual([reply.error, reply.message], [400, "body.nonce must not contain &send_to= in a signed push"]);
  });

  it("is proved by a bearer token of the same application", async () => {
    const fixture = await createFixture({ apps: [makeApp({ pushAuth: new Set(["bearer"]) }), makeApp({ key: "b", secrets: [makeSecret("b")] })] });
    assert.equal((await post(fixture, FIELDS, { authorization: bearer() })).error, 0);
    const other = await post(fixture, FIELDS, { authorization: bearer({ iss: "b" }, { secret: "b" }) });
    assert.deepEqual([other.error, other.message], [ErrorCode.TOKEN_INVALID, "token: iss must equal body.app_key"]);
    for (const authorization of ["Bearer x", "Basic eA==", bearer({ aud: "test" }), bearer({}, { secret: "b" })])
      assert.equal((await post(fixture, FIELDS, { authorization })).error, ErrorCode.TOKEN_INVALID);
    const none = await post(fixture, FIELDS);
    assert.deepEqual(
      [none.error, none.message],
      [ErrorCode.TOKEN_INVALID, "token: the Authorization header is missing; the application's push_auth takes bearer"],
    );
    const sign = await post(fixture, signed(FIELDS));
    assert.deepEqual([sign.error, sign.message], [ErrorCode.NOT_AUTHORISED, "body.sign is not in the application's push_auth, which takes bearer"]);
    assert.equal((await post(fixture, signed(FIELDS), { authorization: bearer() })).error, 0, "a sign that is not taken does no harm beside a token");
  });

  it("is not asked where the application is open, and always where it is not", async () => {
    const fixture = await createFixture({ apps: [makeApp({ pushAuth: new Set(["open"]) }), makeApp({ key: "closed" })] });
    assert.equal((await post(fixture, FIELDS)).error, 0);
    assert.equal((await post(fixture, { ...FIELDS, sign: "anything" })).error, 0);
    assert.equal((await post(fixture, FIELDS, { authorization: "Basic eA==" })).error, 0);
    for (const fields of [
      { ...FIELDS, app_key: "closed" },
      { ...FIELDS, app_key: "closed", sign: "" },
    ]) {
      const reply = await post(fixture, fields);
      assert.deepEqual([reply.error, reply.message], [400, "body.sign is missing; the application's push_auth takes sign or bearer"]);
    }
  });
});

describe("the outcome of a classic push", () => {
  it("is the broker's refusal, never ok", async () => {
    const fixture = await openFixture();
    for (const code of [ErrorCode.EXCHANGE_UNAVAILABLE, ErrorCode.STORE_UNAVAILABLE]) {
      fixture.answer = async () => {
        throw new XlveinError(code, "down", { retryAfterSeconds: 3 });
      };
      const reply = await post(fixture, FIELDS);
      assert.deepEqual([reply.error, reply.message, reply.headers["retry-after"]], [code, "down", "3"]);
    }
  });

  it("is the first answer again for a nonce that was seen, and 1005 for another body", async () => {
    const fixture = await openFixture({ nonceReuse: "allow_other_body", nonceTtlMs: 60_000 });
    fixture.answer = async () => ({ msgId: "first", duplicate: true, positions: [{ epoch: "e", offset: 3, previous: "p" }] });
    assert.equal((await post(fixture, FIELDS)).error, 0);
    assert.deepEqual(fixture.pushed[0]?.key, { kind: "nonce", value: "n-1", ttlMs: 60_000, onOtherBody: "allow_other_body" });
    fixture.answer = async () => {
      throw new XlveinError(ErrorCode.KEY_REUSED, "nonce was used before with another body");
    };
    assert.equal((await post(fixture, FIELDS)).error, ErrorCode.KEY_REUSED);
  });

  it("is 500 with nothing shown when the server fails, and the log has the reason", async () => {
    const fixture = await openFixture();
    fixture.answer = async () => {
      throw new TypeError("private detail");
    };
    const reply = await post(fixture, FIELDS);
    assert.deepEqual([reply.error, reply.message], [500, "internal error"]);
    const line = fixture.logged.find((text) => text.includes("private detail"));
    assert.ok(line?.includes(String(reply.headers["x-request-id"])));
  });

  it("is 600 over the application's rate, counted only for callers who proved themselves", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { pushesPerSecond: 2 } })] });
    for (let i = 0; i < 20; i++) await post(fixture, { ...FIELDS, sign: "wrong" });
    for (let i = 0; i < 2; i++) assert.equal((await post(fixture, signed(FIELDS))).error, 0);
    const reply = await post(fixture, signed(FIELDS));
    assert.deepEqual([reply.error, reply.headers["retry-after"]], [ErrorCode.RATE_LIMITED, "1"]);
    assert.match(reply.message, /pushes_per_second/);
    fixture.nowMs += 1_000;
    assert.equal((await post(fixture, signed(FIELDS))).error, 0);
  });

  it("is counted as the HTTP status it stands for, under configured applications only", async () => {
    const fixture = await createFixture();
    fixture.nowMs += 7_000;
    await post(fixture, signed(FIELDS));
    await post(fixture, { ...FIELDS, sign: "wrong" });
    await post(fixture, { ...FIELDS, app_key: "attacker-chosen" });
    await post(fixture, "{", { "content-type": "application/json" });
    fixture.answer = async () => {
      throw new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "down");
    };
    await post(fixture, signed(FIELDS));
    const count = (app: string, code: number) => readMetric(fixture.metrics, `xlvein_push_requests_total{app="${app}",code="${code}"}`);
    assert.deepEqual([await count("test", 200), await count("test", 401), await count("test", 503)], [1, 1, 1]);
    assert.deepEqual([await count("other", 404), await count("other", 400)], [1, 1]);
    assert.equal(await readMetric(fixture.metrics, "xlvein_push_duration_seconds_count"), 5);
    assert.equal((await fixture.metrics.registry.metrics()).includes("attacker-chosen"), false);
    assert.equal(await readMetric(fixture.metrics, 'xlvein_app_secret_last_used_timestamp_seconds{app="test",secret_id="default"}'), fixture.nowMs / 1_000);
  });
});
