// The hostile corpus, case by case, on one server: after each a canary's push arrives within a second, and no secret is ever logged.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, connect, pushOpen, tokenFor } from "../helpers/client.ts";
import { type ServerProcess, startProcess } from "../helpers/process.ts";
import { SECRET } from "../helpers/server.ts";
import { createAttack } from "./case.ts";
import { frames } from "./frames.ts";
import { handshakes } from "./handshakes.ts";
import { http } from "./http.ts";
import { pushes } from "./pushes.ts";
import { tokens } from "./tokens.ts";
import { v2Frames } from "./v2-frames.ts";
import { v2Handshakes } from "./v2-handshakes.ts";

const CANARY_MS = 1_000;
const corpus = [...frames, ...v2Frames, ...handshakes, ...v2Handshakes, ...tokens, ...pushes, ...http];
const ends: (() => unknown)[] = [];
let server: ServerProcess;
let canary: Client;
let sung = 0;

before(async () => {
  const context = { after: (end: () => unknown) => void ends.unshift(end) };
  server = await startProcess(context, { config: { limits: { headers_timeout_seconds: 10 } } });
  canary = await connect(context, server.url, { account: "canary" });
});
after(async () => {
  for (const end of ends) await end();
});

/** Pushes to the canary and waits for it to sing. */
async function sing(): Promise<void> {
  const n = ++sung;
  const started = Date.now();
  const late = sleep(CANARY_MS, undefined, { ref: false }).then(() => {
    throw new Error(`the canary has not received push ${n} within ${CANARY_MS} ms`);
  });
  const { error } = await Promise.race([pushOpen(server.url, "canary", { n }), late]);
  assert.equal(error, 0);
  const frame = await Promise.race([canary.next(), late]);
  assert.deepEqual(frame.data, { n });
  assert.ok(Date.now() - started <= CANARY_MS);
}

test("the corpus has at least 500 cases with names of their own", () => {
  assert.ok(corpus.length >= 500, `${corpus.length} cases`);
  assert.equal(new Set(corpus.map(({ name }) => name)).size, corpus.length);
});

for (const { name, run } of corpus) {
  test(name, { timeout: 15_000 }, async () => {
    const attack = createAttack(server.url);
    try {
      await run(attack);
      await sing();
    } finally {
      attack.end();
    }
    assert.equal(server.child.exitCode, null, "the server ended");
  });
}

test("after all of it the server still runs and has logged no secret, no token and no message", () => {
  const log = server.lines.join("\n");
  assert.ok(!log.includes(SECRET));
  assert.ok(!log.includes(tokenFor("mallory").slice(0, 60)));
  assert.ok(!/eyJ[\w-]{10}/.test(log), "something like a token was logged");
  assert.ok(!log.includes("polluted"));
  assert.ok(!log.includes('"level":"fatal"'));
});
