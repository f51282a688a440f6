// What a handshake asks for: the protocol, the token wherever it stands, the positions.
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { XlveinError } from "../../server/src/errors.ts";
import { readConnectRequest, readHandshake } from "../../server/src/ws/request.ts";
import { selectProtocol } from "../../server/src/ws/subprotocol.ts";

function request(query: string, offered?: string, path = "/ws/connect"): IncomingMessage {
  const headers = {
    host: "h",
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    ...(offered === undefined ? {} : { "sec-websocket-protocol": offered }),
  };
  return { url: `${path}?${query}`, method: "GET", httpVersion: "1.1", headers } as unknown as IncomingMessage;
}

const V2 = "xlvein.v2.json";

function code(run: () => unknown): [number, string] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof XlveinError);
    return [error.code, error.message];
  }
  return assert.fail("nothing was thrown");
}

test("the protocol is what is offered first of ours: v2 beside anything, a newer one alone, else classic", () => {
  for (const [offered, protocol, selected] of [
    [undefined, "classic", undefined],
    ["chat, soap", "classic", undefined],
    [V2, "v2", V2],
    [`soap,${V2}`, "v2", V2],
    [`xlvein.v3.json, ${V2} , xlvein.token.a.b.c`, "v2", V2],
    ["xlvein.v3.json, xlvein.token.a.b.c", "newer", "xlvein.v3.json"],
    ["soap, xlvein.v9.json, xlvein.v1.json", "newer", "xlvein.v9.json"],
    ["xlvein.v2.jsonx, XLVEIN.V2.JSON, xlvein.v.json", "classic", undefined],
  ] as const) {
    const names = offered?.split(",").map((name) => name.trim()) ?? [];
    assert.deepEqual([readHandshake(request("app_id=a", offered)).protocol, selectProtocol(names)], [protocol, selected], offered);
  }
});

test("a token is read from the subprotocol or the query; both, two of them, or one without a version are no handshake", () => {
  const read = (query: string, offered?: string) => readConnectRequest(readHandshake(request(query, offered))).token;
  assert.equal(read("app_id=a&token=q.w.e"), "q.w.e");
  assert.equal(read("app_id=a&token=q.w.e", V2), "q.w.e");
  assert.equal(read("app_id=a", `${V2}, xlvein.token.x.y.z`), "x.y.z");
  assert.equal(read("app_id=a", `xlvein.token.x.y.z,${V2}`), "x.y.z");
  for (const [query, offered] of [
    ["app_id=a&token=q", `${V2},xlvein.token.x`],
    ["app_id=a&token=", `${V2},xlvein.token.x`],
    ["app_id=a", `${V2},xlvein.token.x,xlvein.token.y`],
    ["app_id=a", "xlvein.token.x"],
    ["app_id=a", "soap,xlvein.token.x"],
    ["app_id=a", `${V2},xlvein.token.x,xlvein.token.x`],
    ["app_id=a", `${V2},${V2}`],
    ["app_id=a", ""],
    ["app_id=a", `${V2},`],
    ["app_id=a", "a b"],
  ] as const) {
    const [number, message] = code(() => read(query, offered));
    assert.equal(number, 400, offered);
    assert.ok(!/xlvein\.token|[xy]\b.*token\.[xy]/.test(message), "no error repeats the token");
  }
  assert.equal(code(() => read("app_id=a", V2))[0], 1000);
  assert.equal(code(() => read("app_id=a", `${V2},xlvein.token.`))[0], 1000);
});

test("positions are read for v2, refused when malformed, and none of a classic client's business", () => {
  const read = (query: string, offered: string | undefined = V2) => {
    const { accountPosition, appPosition } = readConnectRequest(readHandshake(request(`app_id=a&token=t&${query}`, offered)));
    return [accountPosition, appPosition];
  };
  assert.deepEqual(read("account_position=k3vZ8Qa1.0:17:0199d3f0&app_position=e:0:"), [
    { epoch: "k3vZ8Qa1.0", offset: 17, msgId: "0199d3f0" },
    { epoch: "e", offset: 0, msgId: "" },
  ]);
  assert.deepEqual(read(""), [undefined, undefined]);
  const wrong = [
    "",
    "e",
    "e:1",
    ":1:m",
    "e:-1:m",
    "e:01:m",
    "e:1.5:m",
    "e:x:m",
    "e:1:m:n",
    `${"e".repeat(65)}:1:m`,
    `e:1:${"m".repeat(65)}`,
    "e:9007199254740993:m",
    "e: 1:m",
  ];
  for (const position of wrong) {
    const [number, message] = code(() => read(`account_position=${encodeURIComponent(position)}`));
    assert.deepEqual([number, message], [400, "query.account_position: must be epoch:offset:msg_id"], position);
  }
  assert.deepEqual(readConnectRequest(readHandshake(request("app_id=a&token=t&account_position=x&account_position=y"))).accountPosition, undefined);
});

test("what is given twice is no handshake, whichever the protocol", () => {
  for (const offered of [undefined, V2])
    for (const name of ["app_id", "token", "device_id"])
      assert.equal(code(() => readHandshake(request(`${name}=1&${name}=2`, offered)))[1], `query.${name}: given 2 times`);
  assert.equal(code(() => readHandshake(request("app_position=e:1:m&app_position=e:1:m", V2)))[1], "query.app_position: given 2 times");
});
