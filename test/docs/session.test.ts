// The sessions that PROTOCOL.md shows, played line by line against a real server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertFits, assertServerFrame } from "../helpers/schemas.ts";
import { startServer } from "../helpers/server.ts";
import { connectV2, openV2, type V2Client } from "../helpers/v2-client.ts";
import { codeBlocks, readDocument } from "./markdown.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const EPOCH = /^[\w-]+\.[0-9a-z]+$/;
const MINUTE = 60_000;

/** Values that differ from run to run, by the member that they stand in: what one must look like. */
const VARYING: Readonly<Record<string, (value: unknown) => boolean>> = {
  connection_id: (value) => UUID.test(String(value)),
  msg_id: (value) => UUID.test(String(value)),
  epoch: (value) => EPOCH.test(String(value)),
  server_version: (value) => /^\d+\.\d+\.\d+/.test(String(value)),
  time: (value) => Math.abs(Number(value) - Date.now()) < MINUTE,
  send_at: (value) => Math.abs(Number(value) - Date.now()) < MINUTE,
  expires_at: (value) => Number(value) > Date.now() && Number(value) < Date.now() + 61 * MINUTE,
};
/** Members whose different values in the document are different in the run, too. (Two streams may have the same epoch.) */
const NAMES = new Set(["connection_id", "msg_id"]);

/** Matches what the document shows with what came; a value that differs per run is bound where it is first seen. */
function createMatcher() {
  const bound = new Map<unknown, unknown>();

  function bind(shown: unknown, came: unknown, member: string, where: string): void {
    // The empty msg_id of a stream without a message, and the version, are what they are.
    if (shown === "") return assert.equal(came, "", where);
    assert.ok(VARYING[member]?.(came), `${where}: ${JSON.stringify(came)} is no ${member}`);
    if (bound.has(shown)) return assert.equal(came, bound.get(shown), `${where}: ${String(shown)} was another value before`);
    if (NAMES.has(member)) assert.ok(![...bound.values()].includes(came), `${where}: ${String(came)} stood for another value before`);
    bound.set(shown, came);
  }

  function match(shown: unknown, came: unknown, where: string, member = ""): void {
    if (Object.hasOwn(VARYING, member)) return bind(shown, came, member, where);
    if (typeof shown !== "object" || shown === null) return assert.equal(came, shown, where);
    assert.ok(typeof came === "object" && came !== null, where);
    assert.deepEqual(Object.keys(came), Object.keys(shown), `${where}: its members, in their order`);
    for (const [name, value] of Object.entries(shown))
      match(value, (came as Record<string, unknown>)[name], `${where}.${name}`, Array.isArray(shown) ? "" : name);
  }

  return match;
}

const OPS: Readonly<Record<string, string>> = {
  sub: "SubOp",
  unsub: "UnsubOp",
  pub: "PubOp",
  history: "HistoryOp",
  refresh: "RefreshOp",
  ping: "PingFrame",
  pong: "PingFrame",
};

function schemaOfOp(text: string): void {
  const frame = JSON.parse(text) as { op: string };
  const schema = OPS[frame.op];
  if (schema) assertFits(frame, schema);
}

async function play(client: V2Client, lines: readonly string[]): Promise<void> {
  const match = createMatcher();
  for (const [i, line] of lines.entries()) {
    const where = `line ${i + 1}`;
    const text = line.slice(2);
    if (line.startsWith("> ")) {
      schemaOfOp(text);
      client.send(text);
      continue;
    }
    assert.ok(line.startsWith("< "), `${where} begins with neither > nor <: ${line}`);
    assertServerFrame(text);
    match(JSON.parse(text), await client.next(), where);
  }
  assert.deepEqual(client.frames, [], "the document shows every frame that comes");
}

const sessions = codeBlocks(readDocument("PROTOCOL.md")).filter(({ language }) => language === "session");

test("PROTOCOL.md shows a session", () => assert.ok(sessions.length >= 1));

for (const [i, { text }] of sessions.entries()) {
  test(`session ${i + 1} of PROTOCOL.md goes as it says`, async (t) => {
    const { url } = await startServer(t);
    const bob = await connectV2(t, url, { account: "bob", claims: { rooms: ["chat:1"] } });
    await bob.request({ op: "sub", room: "chat:1" });
    const alice = await openV2(t, url, { account: "alice", claims: { rooms: ["chat:1"] } });
    await play(alice, text.trim().split("\n"));
    const [first, second] = [await bob.next(), await bob.next()];
    assert.deepEqual([first.room, first.data, second["to"], second.data], ["chat:1", { text: "hi" }, "bob", { text: "psst" }]);
    assert.deepEqual(bob.frames, [], "a message with a key seen before is not delivered again");
  });
}
