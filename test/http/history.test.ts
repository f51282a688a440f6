// History over HTTP: which part is asked for, the messages as they were written, and how much one answer holds.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Entry } from "../../server/src/store/store.ts";
import { makeApp } from "../auth/apps.ts";
import { bearer } from "../auth/tokens.ts";
import { createFixture, type Fixture } from "./fixture.ts";

interface Problem {
  code: number;
  detail: string;
  errors?: { field: string; message: string }[];
}
interface History {
  messages: { offset: number }[];
  position: object;
  more: boolean;
}

const PATHS = ["/api/v1/accounts/user_1/history", "/api/v1/rooms/chat%3A1/history"] as const;

function get(fixture: Fixture, url: string, authorization = bearer()) {
  return fixture.api.inject({ method: "GET", url, headers: { authorization } });
}

function entry(offset: number, changes: Partial<Entry["message"]> = {}): Entry {
  return {
    message: { event: 0, data: "{}", msgId: `m${offset}`, sendAt: 1_795_412_345_000 + offset, ...changes },
    position: { epoch: "e.0", offset, previous: "" },
  };
}

describe("history", () => {
  it("holds an account's messages as v2 clients get them, data exactly as written", async () => {
    const fixture = await createFixture();
    const data = '{"id":12345678901234567890,\n "t":"\\u4f60", "id":1.0}';
    fixture.found = {
      entries: [entry(16, { data }), entry(17, { from: "user_2", event: 1, key: "k", trace: "t" })],
      position: { epoch: "e.0", offset: 17, msgId: "m17" },
      more: true,
    };
    const { statusCode, headers, body } = await get(fixture, PATHS[0]);
    assert.equal(statusCode, 200);
    assert.match(String(headers["content-type"]), /^application\/json/);
    const first = `{"to":"user_1","event":0,"data":${data},"msg_id":"m16","send_at":1795412345016,"epoch":"e.0","offset":16}`;
    assert.ok(body.includes(first), body);
    assert.deepEqual(JSON.parse(body), {
      messages: [
        JSON.parse(first),
        {
          from: "user_2",
          to: "user_1",
          event: 1,
          data: {},
          msg_id: "m17",
          send_at: 1_795_412_345_017,
          conversation_id: "user_1",
          key: "k",
          trace: "t",
          epoch: "e.0",
          offset: 17,
        },
      ],
      position: { epoch: "e.0", offset: 17, msg_id: "m17" },
      more: true,
    });
  });

  it("holds a room's messages", async () => {
    const fixture = await createFixture();
    fixture.found = { entries: [entry(1, { from: "a" })], position: { epoch: "e.0", offset: 1, msgId: "m1" }, more: false };
    const { messages, more } = (await get(fixture, PATHS[1])).json<History>();
    assert.deepEqual(messages, [
      { room: "chat:1", from: "a", event: 2, data: {}, msg_id: "m1", send_at: 1_795_412_345_001, conversation_id: "chat:1", epoch: "e.0", offset: 1 },
    ]);
    assert.equal(more, false);
    assert.deepEqual(fixture.read, [{ target: { app: "test", kind: "room", name: "chat:1" }, asked: { limit: 100, maxBytes: 1_048_576 } }]);
  });

  it("of a stream that was sent nothing is empty", async () => {
    const fixture = await createFixture();
    for (const path of PATHS)
      assert.deepEqual((await get(fixture, path)).json(), { messages: [], position: { epoch: "e", offset: 0, msg_id: "" }, more: false });
  });

  it("reads the part that is asked for", async () => {
    const fixture = await createFixture();
    const cases: [string, object][] = [
      ["", { limit: 100 }],
      ["?limit=1000", { limit: 1_000 }],
      ["?before=17&limit=1", { limit: 1, before: 17 }],
      ["?after=k3vZ8Qa1.0:0", { limit: 100, after: { epoch: "k3vZ8Qa1.0", offset: 0 } }],
      ["?after=k3vZ8Qa1.0%3A16&limit=5", { limit: 5, after: { epoch: "k3vZ8Qa1.0", offset: 16 } }],
      ["?after=a:b:7", { limit: 100, after: { epoch: "a:b", offset: 7 } }],
    ];
    for (const path of PATHS) {
      for (const [query, asked] of cases) {
        assert.equal((await get(fixture, path + query)).statusCode, 200, query);
        assert.deepEqual(fixture.read.pop()?.asked, { ...asked, maxBytes: 1_048_576 });
      }
    }
  });

  it("names what of the question is wrong", async () => {
    const fixture = await createFixture();
    const malformed = "must be an epoch and an offset, as EPOCH:OFFSET";
    const cases: [string, string, string][] = [
      ["after=e.0:1&before=2", "query.before", "must not be there together with query.after"],
      ["after=e.0", "query.after", malformed],
      ["after=:12", "query.after", malformed],
      ["after=e.0:", "query.after", malformed],
      ["after=e.0:-1", "query.after", malformed],
      ["after=e.0:01", "query.after", malformed],
      ["after=e.0:1.5", "query.after", malformed],
      ["after=e.0:%201", "query.after", malformed],
      ["after=e.0:9007199254740993", "query.after", malformed],
      [`after=${"e".repeat(65)}:1`, "query.after", malformed],
      ["after=a", "query.after", "must not have fewer than 3 characters"],
      [`after=${"e".repeat(199)}:1`, "query.after", "must not have more than 200 characters"],
      ["after=e.0:1&after=e.0:2", "query.after", "must be a string"],
      ["before=0", "query.before", "must be >= 1"],
      ["before=x", "query.before", "must be an integer"],
      ["before=9007199254740993", "query.before", "must be an offset"],
      ["limit=0", "query.limit", "must be >= 1"],
      ["limit=1001", "query.limit", "must be <= 1000"],
      ["limit=many", "query.limit", "must be an integer"],
    ];
    for (const path of PATHS) {
      for (const [query, field, message] of cases) {
        const response = await get(fixture, `${path}?${query}`);
        assert.deepEqual([response.statusCode, response.json<Problem>().errors], [400, [{ field, message }]], query);
      }
    }
    const star = await get(fixture, "/api/v1/rooms/chat:*/history");
    assert.deepEqual([star.statusCode, star.json<Problem>().errors], [400, [{ field: "path.room", message: "must not hold a *" }]]);
    assert.equal(fixture.read.length, 0);
  });

  it("passes on that a place is lost and that the store does not answer", async () => {
    const fixture = await createFixture();
    const cases: [XlveinError, number][] = [
      [new XlveinError(ErrorCode.POSITION_LOST, "after: the place is not in the stream"), 410],
      [new XlveinError(ErrorCode.STORE_UNAVAILABLE, "there is no store"), 503],
    ];
    for (const [error, status] of cases) {
      fixture.controlError = error;
      for (const path of PATHS) {
        const response = await get(fixture, `${path}?after=e.0:1`);
        const { code, detail } = response.json<Problem>();
        assert.deepEqual([response.statusCode, code, detail], [status, error.code, error.message]);
        assert.equal(response.headers["retry-after"], status === 503 ? "1" : undefined);
      }
    }
  });

  it("needs a bearer token, and counts towards the application's rate", async () => {
    const fixture = await createFixture({ apps: [makeApp({ limits: { pushesPerSecond: 2 } })] });
    for (const path of PATHS) assert.equal((await get(fixture, path, "")).statusCode, 401);
    for (const path of PATHS) assert.equal((await get(fixture, path)).statusCode, 200);
    for (const path of PATHS) assert.equal((await get(fixture, path)).statusCode, 429);
  });
});
