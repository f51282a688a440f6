// Connections of an account: listing and ending them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { makeApp } from "../auth/apps.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, type Fixture } from "./fixture.ts";

interface Problem {
  code: number;
  detail: string;
  errors?: { field: string; message: string }[];
}

const path = (account: string, verb: string) => `/api/v1/accounts/${encodeURIComponent(account)}/${verb}`;

function disconnect(fixture: Fixture, account: string, payload?: object | string, headers: Record<string, string> = {}) {
  const type: Record<string, string> = payload === undefined ? {} : { "content-type": "application/json" };
  return fixture.api.inject({
    method: "POST",
    url: path(account, "disconnect"),
    headers: { authorization: bearer(), ...type, ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
}

const list = (fixture: Fixture, account: string, authorization = bearer()) =>
  fixture.api.inject({ method: "GET", url: path(account, "connections"), headers: { authorization } });

describe("the connections of an account", () => {
  it("are listed as control has them", async () => {
    const fixture = await createFixture();
    fixture.connections = [
      { connectionId: "c1", protocol: "classic", connectedAtMs: 1_795_412_345_678, deviceId: "phone-1" },
      { connectionId: "c2", protocol: "classic", connectedAtMs: 1_795_412_345_679 },
    ];
    const response = await list(fixture, "user_1");
    assert.equal(response.statusCode, 200);
    assert.deepEqual(response.json(), {
      connections: [
        { connection_id: "c1", protocol: "classic", connected_at: 1_795_412_345_678, device_id: "phone-1" },
        { connection_id: "c2", protocol: "classic", connected_at: 1_795_412_345_679 },
      ],
    });
  });

  it("are closed, all or the one named, for accounts of any name", async () => {
    const fixture = await createFixture();
    for (const account of ["user_1", "用户 1/2?x#%", "a:b*", "x".repeat(4_096), "😀"]) {
      const response = await disconnect(fixture, account);
      assert.deepEqual([response.statusCode, response.body], [202, ""]);
      assert.deepEqual(fixture.disconnected.pop(), { app: "test", account, connectionId: undefined });
    }
    for (const payload of ["", {}]) assert.equal((await disconnect(fixture, "u", payload)).statusCode, 202);
    assert.equal((await disconnect(fixture, "u", { connection_id: "c1" })).statusCode, 202);
    assert.deepEqual(
      fixture.disconnected.map(({ connectionId }) => connectionId),
      [undefined, undefined, "c1"],
    );
  });

  it("name each field of a request that is wrong", async () => {
    const fixture = await createFixture();
    const cases: [object | string, string, string][] = [
      [{ connection_id: 1 }, "body.connection_id", "must be a string"],
      [{ connection_id: "" }, "body.connection_id", "must not be empty"],
      [{ connection_id: "x".repeat(65) }, "body.connection_id", "must not have more than 64 characters"],
      [{ connectionId: "c1" }, "body.connectionId", "is not known"],
      ["[]", "body", "must be an object"],
    ];
    for (const [payload, field, message] of cases) {
      const response = await disconnect(fixture, "u", payload);
      assert.equal(response.statusCode, 400);
      assert.deepEqual(response.json<Problem>().errors, [{ field, message }]);
    }
    assert.equal((await disconnect(fixture, "u", "{", {})).json<Problem>().detail, "body is not valid JSON: fault at position 1");
    assert.equal((await disconnect(fixture, "u", "a=1", { "content-type": "application/x-www-form-urlencoded" })).statusCode, 415);
    for (const verb of ["connections", "disconnect"]) {
      const method = verb === "connections" ? "GET" : "POST";
      const long = await fixture.api.inject({ method, url: path("x".repeat(4_097), verb), headers: { authorization: bearer() } });
      assert.deepEqual([long.statusCode, long.json<Problem>().errors], [400, [{ field: "path.account", message: "must not have more than 4096 characters" }]]);
      const broken = await fixture.api.inject({ method, url: `/api/v1/accounts/%ff/${verb}`, headers: { authorization: bearer() } });
      assert.deepEqual([broken.statusCode, broken.json<Problem>().detail], [400, "path is not valid percent-encoded UTF-8"]);
      const empty = await fixture.api.inject({ method, url: `/api/v1/accounts//${verb}`, headers: { authorization: bearer() } });
      assert.ok([400, 404].includes(empty.statusCode));
    }
    assert.equal(fixture.disconnected.length, 0);
  });

  it("need a bearer token, and share the application's rate", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { pushesPerSecond: 2 } })] });
    assert.equal((await list(fixture, "u", "")).statusCode, 401);
    assert.equal((await disconnect(fixture, "u", {}, { authorization: "" })).statusCode, 401);
    assert.equal((await list(fixture, "u")).statusCode, 200);
    assert.equal((await disconnect(fixture, "u")).statusCode, 202);
    assert.equal((await list(fixture, "u")).statusCode, 429);
    assert.equal((await disconnect(fixture, "u")).statusCode, 429);
  });

  it("answer 503 while the exchange does not take the order", async () => {
    const fixture = await createFixture();
    fixture.controlError = new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "down");
    const response = await disconnect(fixture, "u");
    assert.deepEqual([response.statusCode, response.headers["retry-after"], response.json<Problem>().code], [503, "1", ErrorCode.EXCHANGE_UNAVAILABLE]);
  });
});
