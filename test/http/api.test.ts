// What holds for every request: ids, unknown paths, wrong methods, draining, what reaches the log.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bearer } from "../auth/tokens.ts";
import { createFixture } from "./fixture.ts";

interface Problem {
  code: number;
  status: number;
  detail: string;
  request_id: string;
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("every answer", () => {
  it("carries an id of our own, never one that the caller chose", async () => {
    const { api } = await createFixture();
    const seen = new Set<string>();
    for (const url of ["/sdk.js", "/nope", "/api/v1/messages", "/%ff", "/api/v1/accounts/u/connections", "/ws/connect"]) {
      const { headers } = await api.inject({ url, headers: { "x-request-id": "evil\u0022<script>", "request-id": "evil" } });
      const id = String(headers["x-request-id"]);
      assert.match(id, UUID_V7, url);
      seen.add(id);
    }
    assert.equal(seen.size, 6);
  });

  it("to the API may not be cached or sniffed", async () => {
    const { api } = await createFixture();
    const { headers } = await api.inject({ url: "/api/v1/accounts/u/connections", headers: { authorization: bearer() } });
    assert.deepEqual([headers["cache-control"], headers["x-content-type-options"]], ["no-store", "nosniff"]);
    assert.equal(headers["access-control-allow-origin"], undefined, "the API is for backends: no page of another origin may read it");
  });

  it("ends its connection while the server drains, and pushes go on", async () => {
    const fixture = await createFixture();
    const push = () =>
      fixture.api.inject({ method: "POST", url: "/api/v1/messages", headers: { authorization: bearer() }, payload: { accounts: ["u"], data: {} } });
    assert.equal((await push()).headers["connection"], "keep-alive");
    fixture.draining = true;
    const { statusCode, headers } = await push();
    assert.deepEqual([statusCode, headers["connection"]], [200, "close"]);
    assert.equal(fixture.pushed.length, 2);
  });
});

describe("a path", () => {
  it("where there is nothing answers 404, whatever the method and body", async () => {
    const { api } = await createFixture();
    for (const url of [
      "/",
      "/nope",
      "/api/v1",
      "/api/v1/messages/",
      "/api/v1/messages/x/y",
      "/API/v1/messages",
      "/metrics",
      "/livez",
      "/api/v1/im/push/",
      "/api/v2/messages",
    ]) {
      for (const method of ["GET", "POST", "DELETE", "OPTIONS"] as const) {
        const { statusCode, headers, body } = await api.inject({
          method,
          url,
          ...(method === "POST" ? { payload: "x", headers: { "content-type": "text/nonsense" } } : {}),
        });
        assert.equal(statusCode, 404, `${method} ${url}`);
        assert.match(String(headers["content-type"]), /^application\/problem\+json/);
        const problem = JSON.parse(body) as Problem;
        assert.deepEqual([problem.code, problem.detail, problem.request_id], [404, "there is nothing at this path", headers["x-request-id"]]);
      }
    }
  });

  it("that is there answers 405 to other methods, with those it knows", async () => {
    const { api } = await createFixture();
    const known: [string, string][] = [
      ["/api/v1/im/push", "POST"],
      ["/api/v1/messages?x=1", "POST"],
      ["/api/v1/messages/batch", "POST"],
      ["/api/v1/accounts/a%2Fb/connections", "GET, HEAD"],
      ["/api/v1/accounts/u/disconnect", "POST"],
      ["/openapi.yaml", "GET, HEAD"],
      ["/ws/connect", "GET, HEAD"],
    ];
    for (const [url, allow] of known) {
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] as const) {
        if (allow.split(", ").includes(method)) continue;
        const { statusCode, headers, body } = await api.inject({ method: method as "GET", url });
        assert.deepEqual([statusCode, headers["allow"]], [405, allow], `${method} ${url}`);
        if (method !== "HEAD") assert.equal((JSON.parse(body) as Problem).detail, `${method} is not possible here; use ${allow}`);
      }
    }
  });

  it("of the WebSocket tells a plain request what it takes, in the classic form", async () => {
    const { api } = await createFixture();
    const { statusCode, headers, body } = await api.inject("/ws/connect?app_id=test&token=x");
    assert.deepEqual([statusCode, headers["connection"]], [400, "close"]);
    assert.deepEqual(JSON.parse(body), { error: 400, message: "this path takes WebSocket handshakes: send Upgrade: websocket" });
  });
});

describe("the log", () => {
  it("has one line for each request at debug level, with the route and nothing a caller sent", async () => {
    const { api, logged } = await createFixture();
    const token = bearer();
    await api.inject({
      method: "POST",
      url: "/api/v1/accounts/private-account/disconnect?token=private",
      headers: { authorization: token, cookie: "private" },
      payload: {},
    });
    await api.inject({
      method: "POST",
      url: "/api/v1/messages",
      headers: { authorization: token },
      payload: { accounts: ["private-account"], data: { text: "private" }, extra: "private" },
    });
    await api.inject("/private?token=private");
    assert.equal(logged.length, 3);
    for (const line of logged) assert.ok(!line.includes("private") && !line.includes(token.slice(7)), line);
    const first = JSON.parse(logged[0] ?? "") as Record<string, unknown>;
    assert.deepEqual([first["event"], first["method"], first["route"], first["status"]], ["request", "POST", "/api/v1/accounts/:account/disconnect", 202]);
    assert.match(String(first["request_id"]), UUID_V7);
  });
});
