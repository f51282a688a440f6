// When a secret was last used, for whoever rotates it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSecretUse } from "../../server/src/auth/secret-use.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";

describe("the use of a secret", () => {
  it("is shown to the second, set at most once in each", async (t) => {
    const metrics = createMetrics("0");
    const set = t.mock.method(metrics.secretLastUsed, "set");
    let nowMs = 10_000;
    const note = createSecretUse(metrics, () => nowMs);
    for (nowMs of [10_000, 10_400, 10_999]) note("test", "a");
    assert.equal(set.mock.callCount(), 1);
    note("test", "b");
    note("test2", "a");
    nowMs = 11_000;
    note("test", "a");
    assert.equal(set.mock.callCount(), 4);
    const { values } = await metrics.secretLastUsed.get();
    assert.deepEqual(
      values.map(({ labels, value }) => [labels.app, labels.secret_id, value]),
      [
        ["test", "a", 11],
        ["test", "b", 10],
        ["test2", "a", 10],
      ],
    );
  });
});
