// A push to one account reaches the one node that holds it, and costs the others nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, push } from "../helpers/client.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { startServer } from "../helpers/server.ts";
import { redisConfig } from "./harness/nodes.ts";

const PUSHES = 20;

for (const count of [3, 8]) {
  test(`of ${count} nodes exactly one receives a push to one account, wherever it was pushed`, async (t) => {
    const redis = await startRedis(t);
    const nodes = await Promise.all(Array.from({ length: count }, () => startServer(t, { config: redisConfig(redis.url) })));
    const received = () => Promise.all(nodes.map((node) => node.metric("xlvein_exchange_received_total")));
    for (const [nth, { url }] of nodes.entries()) {
      const account = `user_${nth}`;
      const client = await connect(t, url, { account });
      const before = await received();
      for (let i = 0; i < PUSHES; i++) {
        const response = await push(nodes[i % count]?.url ?? "", [account], { i });
        assert.equal(response.status, 200);
      }
      for (let i = 0; i < PUSHES; i++) assert.deepEqual((await client.next()).data, { i });
      const after = await received();
      const expected = nodes.map((_, other) => (other === nth ? PUSHES : 0));
      assert.deepEqual(
        after.map((value, other) => value - (before[other] ?? 0)),
        expected,
      );
    }
    const response = await push(nodes[0]?.url ?? "", ["nobody"], {});
    assert.equal(response.status, 200);
    assert.equal(
      (await received()).reduce((sum, each) => sum + each, 0),
      count * PUSHES,
      "a push to an account that nobody holds is received by nobody",
    );
  });
}
