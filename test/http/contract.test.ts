// The contract: every answer that openapi.yaml documents is provoked, and fits its description.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { apiClaims, makeToken, NOW_MS } from "../auth/tokens.ts";
import { apiToken, connect, connectUrl, refused, tokenFor } from "../helpers/client.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { createFixture } from "./fixture.ts";

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

interface Documented {
  $ref?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: object }>;
}

type Spec = {
  paths: Record<string, Record<string, { operationId?: string; responses: Record<string, Documented> }>>;
  components: { responses: Record<string, Documented> };
};

const spec = parse(readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8"), { merge: true }) as Spec;
const ajv = new Ajv2020({ strict: false }).addSchema({ components: spec.components }, "openapi");

const operations = Object.entries(spec.paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, operation]) =>
    operation.operationId ? [{ path, method: method.toUpperCase(), id: operation.operationId, responses: operation.responses }] : [],
  ),
);

/** Absolute references, so that a schema can be compiled away from its document. */
function anchored(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/')) as object;
}

function documented(response: Documented): Documented {
  const name = response.$ref?.split("/").at(-1);
  return name === undefined ? response : (spec.components.responses[name] ?? assert.fail(`no response ${name}`));
}

function assertFits(answer: Answer, response: Documented, status: string): void {
  const { headers = {}, content = {} } = documented(response);
  assert.equal(String(answer.status), status, answer.body);
  const types = Object.keys(content);
  const type = String(answer.headers["content-type"] ?? "").split(";", 1)[0] ?? "";
  if (types.length === 0) return assert.equal(answer.body, "");
  assert.ok(types.includes(type), `${type} is not ${types.join(" or ")}`);
  const validate = ajv.compile(anchored(content[type]?.schema ?? {}));
  assert.ok(validate(JSON.parse(answer.body)), `${ajv.errorsText(validate.errors)} in ${answer.body}`);
  // On these the header belongs to some answers only.
  const optional = status === "200" || types.includes("application/json");
  for (const name of Object.keys(headers)) if (!optional) assert.ok(answer.headers[name.toLowerCase()] !== undefined, `the header ${name} is missing`);
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}

const APPLICATIONS = [
  { app_key: "test", app_secret: SECRET, push_auth: ["sign", "bearer", "open"], allowed_origins: ["https://good.example"] },
  { app_key: "off", app_secret: SECRET, enabled: false },
  { app_key: "slow", app_secret: SECRET, limits: { pushes_per_second: 1 } },
  { app_key: "full", app_secret: SECRET, limits: { max_connections: 1 } },
];

/** What provokes each answer: from a real server where the outside can, else from the API with a broken room behind it. */
async function provocations(t: TestContext): Promise<Record<string, Record<string, () => Promise<Answer>>>> {
  const { url } = await startServer(t, { applications: APPLICATIONS, config: { limits: { connections: 3, body_bytes: 4_096 } } });
  const fixture = await createFixture();

  const request = (method: string, path: string, body?: unknown, { token = apiToken(), type = "application/json" } = {}): Promise<Answer> =>
    fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": type }) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }).then(answerOf);

  /** An answer of the API whose publish and control fail so. */
  const broken = async (error: Error, method: "GET" | "POST", path: string, payload?: object): Promise<Answer> => {
    fixture.answer = () => Promise.reject(error);
    fixture.controlError = error;
    const headers = { authorization: `Bearer ${makeToken(apiClaims({ exp: NOW_MS / 1_000 + 60 }))}` };
    const response = await fixture.api.inject({ method, url: path, headers, ...(payload ? { payload } : {}) });
    return { status: response.statusCode, headers: response.headers, body: response.body };
  };
  const outage = new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "the exchange is unavailable");

  /** The second of two requests of an application that may make one a second. */
  const limited = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    let answer: Answer | undefined;
    for (let i = 0; i < 50 && answer?.status !== 429; i++) answer = await request(method, path, body, { token: apiToken("slow") });
    return answer ?? assert.fail();
  };

  const refusal = async (options: Parameters<typeof connectUrl>[1], headers: Record<string, string> = {}): Promise<Answer> => {
    const answer = await refused(connectUrl(url, options), headers);
    return { ...answer, body: JSON.stringify(answer.body) };
  };

  const everywhere = (method: "GET" | "POST", path: string, body?: object) => ({
    "401": () => request(method, path, body, { token: "x.y.z" }),
    "403": () => request(method, path, body, { token: apiToken("off") }),
    "404": () => request(method, path, body, { token: apiToken("nobody") }),
    "429": () => limited(method, path, body),
    "500": () => broken(new Error("a fault"), method, path, body),
  });
  const withBody = (path: string, body: object) => ({
    ...everywhere("POST", path, body),
    "400": () => request("POST", path, { unknown: 1 }),
    "413": () => request("POST", path, " ".repeat(5_000)),
    "415": () => request("POST", path, "a=1", { type: "application/x-www-form-urlencoded" }),
  });

  /** The first of the messages is in the room and in the account's stream, before others. */
  const history = (path: string) => ({
    ...everywhere("GET", path),
    "200": async () => {
      await request("POST", "/api/v1/messages", { accounts: ["read"], rooms: ["read:1"], data: { n: 1 }, key: "k", trace: "t" });
      await request("POST", "/api/v1/messages", { accounts: ["read"], rooms: ["read:1"], data: { n: 2 } });
      const answer = await request("GET", `${path}?limit=1`);
      const { messages, more } = JSON.parse(answer.body) as { messages: unknown[]; more: boolean };
      assert.deepEqual([messages.length, more], [1, true]);
      return answer;
    },
    "400": () => request("GET", `${path}?after=e:1&before=1`),
    "410": () => request("GET", `${path}?after=another:1`),
    "503": () => broken(new XlveinError(ErrorCode.STORE_UNAVAILABLE, "the store is unavailable"), "GET", path),
  });
  const members = (path: string) => ({
    ...withBody(path, { accounts: ["user_1"] }),
    "204": () => request("POST", path, { accounts: ["member_1", "member_2"] }),
    "503": () => broken(outage, "POST", path, { accounts: ["user_1"] }),
  });

  const push = { accounts: ["user_1"], data: { text: "hi" } };
  const classic = { app_key: "test", send_to: "user_1", message: { text: "hi" }, nonce: "n" };
  return {
    connect: {
      "101": async () => {
        const client = await connect(t, url, {});
        client.socket.close();
        await client.closed;
        return { status: 101, headers: {}, body: "" };
      },
      "400": () => refusal({ app: "" }),
      "401": () => refusal({ token: tokenFor("user_1", "wrong") }),
      "403": () => refusal({}, { origin: "https://evil.example" }),
      "404": () => refusal({ app: "nobody" }),
      "429": async () => {
        await connect(t, url, { app: "full" });
        return refusal({ app: "full" });
      },
      "503": async () => {
        const others = [await connect(t, url), await connect(t, url)];
        const answer = await refusal({});
        for (const { socket, closed } of others) {
          socket.close();
          await closed;
        }
        return answer;
      },
    },
    classicPush: { "200": () => request("POST", "/api/v1/im/push", classic) },
    push: {
      ...withBody("/api/v1/messages", push),
      "200": () => request("POST", "/api/v1/messages", { ...push, rooms: ["chat:1"], everyone: true }),
      "409": async () => {
        await request("POST", "/api/v1/messages", { ...push, idempotency_key: "k" });
        return request("POST", "/api/v1/messages", { ...push, data: { text: "other" }, idempotency_key: "k" });
      },
      "503": () => broken(outage, "POST", "/api/v1/messages", push),
    },
    pushMany: {
      ...withBody("/api/v1/messages/batch", { messages: [push] }),
      "200": () => request("POST", "/api/v1/messages/batch", { messages: [push, { accounts: [] }] }),
      "503": () => broken(outage, "POST", "/api/v1/messages/batch", { messages: [push, push] }),
    },
    connections: {
      ...everywhere("GET", "/api/v1/accounts/user_1/connections"),
      "200": async () => {
        await connect(t, url, { account: "listed", query: { device_id: "phone-1" } });
        return request("GET", "/api/v1/accounts/listed/connections");
      },
      "400": () => request("GET", `/api/v1/accounts/${"x".repeat(4_097)}/connections`),
    },
    disconnect: {
      ...withBody("/api/v1/accounts/user_1/disconnect", {}),
      "202": () => request("POST", "/api/v1/accounts/user_1/disconnect"),
      "503": () => broken(outage, "POST", "/api/v1/accounts/user_1/disconnect"),
    },
    accountRooms: {
      ...everywhere("GET", "/api/v1/accounts/user_1/rooms"),
      "200": async () => {
        await request("POST", "/api/v1/rooms/chat:1/members", { accounts: ["in_a_room"] });
        return request("GET", "/api/v1/accounts/in_a_room/rooms");
      },
      "400": () => request("GET", `/api/v1/accounts/${"x".repeat(4_097)}/rooms`),
      "503": () => broken(outage, "GET", "/api/v1/accounts/user_1/rooms"),
    },
    accountHistory: history("/api/v1/accounts/read/history"),
    roomMembers: {
      ...everywhere("GET", "/api/v1/rooms/chat:1/members"),
      "200": async () => {
        await request("POST", "/api/v1/rooms/listed/members", { accounts: ["a", "b"] });
        const answer = await request("GET", "/api/v1/rooms/listed/members?limit=1");
        assert.deepEqual(JSON.parse(answer.body), { members: ["a"], next: "a" });
        return answer;
      },
      "400": () => request("GET", "/api/v1/rooms/chat:1/members?limit=0"),
      "503": () => broken(outage, "GET", "/api/v1/rooms/chat:1/members"),
    },
    addRoomMembers: members("/api/v1/rooms/chat:1/members"),
    removeRoomMembers: members("/api/v1/rooms/chat:1/members/remove"),
    roomHistory: history("/api/v1/rooms/read:1/history"),
  };
}

describe("the contract", () => {
  it("is kept by every operation, in every answer that is documented", async (t) => {
    const provoked = await provocations(t);
    assert.deepEqual(Object.keys(provoked).sort(), operations.map(({ id }) => id).sort());
    for (const { id, responses } of operations) {
      const table = provoked[id] ?? {};
      assert.deepEqual(Object.keys(table).sort(), Object.keys(responses).sort(), `${id}: documented and provoked answers differ`);
    }
    for (const { id, responses } of operations) {
      for (const [status, response] of Object.entries(responses)) {
        await t.test(`${id} answers ${status}`, async () => assertFits((await provoked[id]?.[status]?.()) ?? assert.fail(), response, status));
      }
    }
  });
});
