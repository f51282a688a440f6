// Push rates: one application's flood is its own matter.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode } from "../../server/src/errors.ts";
import { createPushRates } from "../../server/src/limits/push-rates.ts";
import { makeApp, makeRegistry, makeSet } from "../auth/apps.ts";

const limited = (key: string, pushesPerSecond: number) => makeApp({ key, limits: { pushesPerSecond } });

describe("push rates", () => {
  it("refuse an application over its limit with the seconds to wait, and nobody else", () => {
    const [a, b, free] = [limited("a", 2), limited("b", 2), makeApp({ key: "free" })];
    let nowMs = 0;
    const rates = createPushRates(makeRegistry(a, b, free), () => nowMs);
    rates.take(a);
    rates.take(a);
    assert.throws(() => rates.take(a), { code: ErrorCode.RATE_LIMITED, status: 429, retryAfterSeconds: 1 });
    rates.take(b, 2);
    for (let i = 0; i < 1_000; i++) rates.take(free);
    nowMs = 500;
    rates.take(a);
    assert.throws(() => rates.take(a), { code: ErrorCode.RATE_LIMITED });
  });

  it("survive a reload that leaves the limit as it is, and start afresh with another limit", () => {
    const apps = makeRegistry(limited("a", 1));
    const rates = createPushRates(apps, () => 0);
    const current = () => apps.get("a") ?? assert.fail();
    rates.take(current());
    apps.replace(makeSet(limited("a", 1)));
    assert.throws(() => rates.take(current()), { code: ErrorCode.RATE_LIMITED });
    apps.replace(makeSet(limited("a", 3)));
    rates.take(current(), 3);
    assert.throws(() => rates.take(current()), { code: ErrorCode.RATE_LIMITED });
  });

  it("forget applications that were removed", () => {
    const apps = makeRegistry(limited("a", 1));
    const rates = createPushRates(apps, () => 0);
    rates.take(apps.get("a") ?? assert.fail());
    apps.replace(makeSet());
    apps.replace(makeSet(limited("a", 1)));
    rates.take(apps.get("a") ?? assert.fail());
  });
});
