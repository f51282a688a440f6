// Members of rooms over HTTP: adding, removing, listing page by page, and an account's rooms.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { makeApp } from "../auth/apps.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, type Fixture } from "./fixture.ts";

interface Problem {
  code: number;
  detail: string;
  retryable: boolean;
  errors?: { field: string; message: string }[];
}

const path = (room: string) => `/api/v1/rooms/${encodeURIComponent(room)}/members`;

function get(fixture: Fixture, url: string, authorization = bearer()) {
  return fixture.api.inject({ method: "GET", url, headers: { authorization } });
}

function post(fixture: Fixture, url: string, payload: object | string, headers: Record<string, string> = {}) {
  return fixture.api.inject({ method: "POST", url, payload, headers: { authorization: bearer(), "content-type": "application/json", ...headers } });
}

const CHANGES = [
  ["add", ""],
  ["remove", "/remove"],
] as const;

describe("the members of a room", () => {
  it("are added and removed, whatever the names", async () => {
    const fixture = await createFixture();
    const accounts = ["user_1", "用户 😀", "a*b", "x".repeat(4_096)];
    for (const [change, verb] of CHANGES) {
      for (const room of ["chat:1", "a/b?c#d%", "房间 😀", "x".repeat(256)]) {
        const response = await post(fixture, path(room) + verb, { accounts });
        assert.deepEqual([response.statusCode, response.body, response.headers["content-type"]], [204, "", undefined]);
        assert.deepEqual(fixture.asked.pop(), [change, "test", room, accounts]);
      }
    }
  });

  it("name each field of a change that is wrong, and change nothing", async () => {
    const fixture = await createFixture();
    const cases: [object | string, string, string][] = [
      [{}, "body.accounts", "is missing"],
      [{ accounts: [] }, "body.accounts", "must not be empty"],
      [{ accounts: "user_1" }, "body.accounts", "must be an array"],
      [{ accounts: ["a", 1] }, "body.accounts[1]", "must be a string"],
      [{ accounts: ["a", ""] }, "body.accounts[1]", "must not be empty"],
      [{ accounts: ["a", "a"] }, "body.accounts[1]", "repeats another item"],
      [{ accounts: ["x".repeat(4_097)] }, "body.accounts[0]", "must not have more than 4096 characters"],
      [{ accounts: ["a", "b\ud800"] }, "body.accounts[1]", "holds half of a surrogate pair, which UTF-8 cannot carry"],
      [{ accounts: Array.from({ length: 1_001 }, (_, i) => `a${i}`) }, "body.accounts", "must not have more than 1000 items"],
      [{ accounts: ["a"], ttl: 1 }, "body.ttl", "is not known"],
      ["[]", "body", "must be an object"],
    ];
    for (const [, verb] of CHANGES) {
      for (const [payload, field, message] of cases) {
        const response = await post(fixture, path("chat:1") + verb, payload);
        assert.deepEqual([response.statusCode, response.json<Problem>().errors], [400, [{ field, message }]]);
      }
      const broken = await post(fixture, path("chat:1") + verb, "{");
      assert.deepEqual([broken.statusCode, broken.json<Problem>().detail], [400, "body is not valid JSON: fault at position 1"]);
      const form = await post(fixture, path("chat:1") + verb, "accounts=a", { "content-type": "application/x-www-form-urlencoded" });
      assert.equal(form.statusCode, 415);
      const bare = await fixture.api.inject({ method: "POST", url: path("chat:1") + verb, headers: { authorization: bearer() } });
      assert.deepEqual([bare.statusCode, bare.json<Problem>().detail], [400, "body is missing"]);
    }
    assert.equal(fixture.asked.length, 0);
  });

  it("belong to a room with a sound name", async () => {
    const fixture = await createFixture();
    const cases: [string, string][] = [
      ["chat:*", "must not hold a *"],
      ["x".repeat(257), "must not have more than 256 characters"],
      ["😀".repeat(129), "must be a text of 1 to 256 characters"],
    ];
    for (const [room, message] of cases) {
      const answers = [await get(fixture, path(room))];
      for (const [, verb] of CHANGES) answers.push(await post(fixture, path(room) + verb, { accounts: ["a"] }));
      for (const answer of answers) assert.deepEqual([answer.statusCode, answer.json<Problem>().errors], [400, [{ field: "path.room", message }]]);
    }
    const broken = await get(fixture, "/api/v1/rooms/%ff/members");
    assert.deepEqual([broken.statusCode, broken.json<Problem>().detail], [400, "path is not valid percent-encoded UTF-8"]);
    assert.equal(fixture.asked.length, 0);
  });

  it("are listed page by page; only a page that another follows has a next", async () => {
    const fixture = await createFixture();
    fixture.members = ["a", "b", "c", "d"];
    const page = async (query: string) => {
      const response = await get(fixture, path("chat:1") + query);
      assert.equal(response.statusCode, 200, response.body);
      return response.json<object>();
    };
    assert.deepEqual(await page("?limit=2"), { members: ["a", "b"], next: "b" });
    assert.deepEqual(await page("?limit=2&cursor=b"), { members: ["c", "d"] });
    assert.deepEqual(await page("?limit=3&cursor=b"), { members: ["c", "d"] });
    assert.deepEqual(await page("?cursor=d"), { members: [] });
    assert.deepEqual(await page(""), { members: ["a", "b", "c", "d"] });
    assert.deepEqual(await page(`?cursor=${encodeURIComponent("用户 &=+")}`), { members: [] });
    assert.deepEqual(fixture.asked.at(-1), ["members", "test", "chat:1", "用户 &=+", 101]);
    assert.deepEqual(fixture.asked.at(0), ["members", "test", "chat:1", undefined, 3]);
  });

  it("are not listed with a cursor or a limit that is wrong", async () => {
    const fixture = await createFixture();
    const cases: [string, string, string][] = [
      ["limit=0", "query.limit", "must be >= 1"],
      ["limit=1001", "query.limit", "must be <= 1000"],
      ["limit=", "query.limit", "must be an integer"],
      ["limit=ten", "query.limit", "must be an integer"],
      ["limit=-1", "query.limit", "must be an integer"],
      ["limit=1.5", "query.limit", "must be an integer"],
      ["limit=1e2", "query.limit", "must be an integer"],
      ["limit=010", "query.limit", "must be an integer"],
      ["limit=1&limit=2", "query.limit", "must be an integer"],
      ["cursor=", "query.cursor", "must not be empty"],
      ["cursor=a&cursor=b", "query.cursor", "must be a string"],
      [`cursor=${"x".repeat(4_097)}`, "query.cursor", "must not have more than 4096 characters"],
    ];
    for (const [query, field, message] of cases) {
      const response = await get(fixture, `${path("chat:1")}?${query}`);
      assert.deepEqual([response.statusCode, response.json<Problem>().errors], [400, [{ field, message }]], query);
    }
    assert.equal(fixture.asked.length, 0);
  });

  it("and their rooms need a bearer token, and share the application's rate", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { pushesPerSecond: 4 } })] });
    const calls = [
      (authorization?: string) => get(fixture, path("r"), authorization),
      (authorization?: string) => get(fixture, "/api/v1/accounts/u/rooms", authorization),
      ...CHANGES.map(
        ([, verb]) =>
          (authorization = bearer()) =>
            post(fixture, path("r") + verb, { accounts: ["a"] }, { authorization }),
      ),
    ];
    for (const call of calls) assert.equal((await call("")).statusCode, 401);
    for (const call of calls) assert.ok([200, 204].includes((await call()).statusCode));
    for (const call of calls) {
      const { statusCode, headers } = await call();
      assert.deepEqual([statusCode, headers["retry-after"]], [429, "1"]);
    }
  });

  it("pass on what the store answers", async () => {
    const fixture = await createFixture();
    const cases: [XlveinError, number, boolean, string | undefined][] = [
      [new XlveinError(ErrorCode.STORE_UNAVAILABLE, "the store does not answer"), 503, true, "1"],
      [new XlveinError(ErrorCode.TOO_MANY_ROOMS, "user_1 is in 1000 rooms"), 429, false, undefined],
    ];
    for (const [error, status, retryable, retryAfter] of cases) {
      fixture.controlError = error;
      const answers = [await get(fixture, path("r")), await get(fixture, "/api/v1/accounts/u/rooms"), await post(fixture, path("r"), { accounts: ["a"] })];
      for (const answer of answers) {
        const { code, detail, retryable: may } = answer.json<Problem>();
        assert.deepEqual([answer.statusCode, answer.headers["retry-after"], code, detail, may], [status, retryAfter, error.code, error.message, retryable]);
      }
    }
  });
});

describe("the rooms of an account", () => {
  it("are listed for accounts of any name", async () => {
    const fixture = await createFixture();
    fixture.rooms = ["chat:1", "房间"];
    for (const account of ["user_1", "用户 1/2?x#%", "a*"]) {
      const response = await get(fixture, `/api/v1/accounts/${encodeURIComponent(account)}/rooms`);
      assert.deepEqual([response.statusCode, response.json()], [200, { rooms: ["chat:1", "房间"] }]);
      assert.deepEqual(fixture.asked.pop(), ["roomsOf", "test", account]);
    }
    const long = await get(fixture, `/api/v1/accounts/${"x".repeat(4_097)}/rooms`);
    assert.deepEqual([long.statusCode, long.json<Problem>().errors], [400, [{ field: "path.account", message: "must not have more than 4096 characters" }]]);
  });
});
