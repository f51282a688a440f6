// The internal listener: what probes, scrapers and operators read.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createInternal, type ReadyState } from "../../server/src/http/internal.ts";
import { createLog } from "../../server/src/log.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";

const READY: ReadyState = {
  ready: true,
  checks: [
    { name: "draining", ok: true, detail: "no", gates: true },
    { name: "exchange", ok: false, detail: "reconnecting", gates: false },
  ],
};
const UNREADY: ReadyState = { ready: false, checks: [{ name: "draining", ok: false, detail: "shutting down", gates: true }, ...READY.checks.slice(1)] };

function start(t: TestContext, readiness: () => ReadyState, stats: () => object = () => ({ connections: 3 })) {
  const internal = createInternal({ metrics: createMetrics("1.2.3"), log: createLog({ level: "silent" }), readiness, stats, revision: () => "rev-7" });
  t.after(() => internal.close());
  return internal;
}

describe("the internal listener", () => {
  it("is alive whatever the readiness", async (t) => {
    const { statusCode, body } = await start(t, () => UNREADY).inject("/livez");
    assert.deepEqual([statusCode, body], [200, "ok\n"]);
  });

  it("answers readiness with a status, and with each check when asked", async (t) => {
    let state = READY;
    const internal = start(t, () => state);
    const ready = await internal.inject("/readyz");
    assert.deepEqual([ready.statusCode, ready.body], [200, "ok\n"]);
    assert.match(String(ready.headers["content-type"]), /^text\/plain/);
    for (const url of ["/readyz?verbose", "/readyz?verbose=1", "/readyz?verbose="]) {
      const { statusCode, body } = await internal.inject(url);
      assert.deepEqual([statusCode, body], [200, "[+]draining ok\n[-]exchange: reconnecting (does not gate)\nreadyz check passed\n"]);
    }
    state = UNREADY;
    const unready = await internal.inject("/readyz");
    assert.deepEqual([unready.statusCode, unready.body], [503, "not ready: draining: shutting down\n"]);
    const verbose = await internal.inject("/readyz?verbose");
    assert.deepEqual([verbose.statusCode, verbose.body], [503, "[-]draining: shutting down\n[-]exchange: reconnecting (does not gate)\nreadyz check failed\n"]);
  });

  it("shows metrics in the text format", async (t) => {
    const { statusCode, headers, body } = await start(t, () => READY).inject("/metrics");
    assert.equal(statusCode, 200);
    assert.match(String(headers["content-type"]), /^text\/plain; version=0\.0\.4/);
    assert.match(body, /^xlvein_build_info\{version="1\.2\.3"\} 1$/m);
  });

  it("shows the revision and the figures", async (t) => {
    const internal = start(t, () => READY);
    assert.deepEqual((await internal.inject("/-/config")).json(), { revision: "rev-7" });
    assert.deepEqual((await internal.inject("/-/stats")).json(), { connections: 3 });
  });

  it("has nothing else, and shows no fault of its own", async (t) => {
    const internal = start(
      t,
      () => READY,
      () => {
        throw new Error("private detail");
      },
    );
    for (const url of ["/", "/api/v1/messages", "/metrics/"]) assert.equal((await internal.inject(url)).statusCode, 404);
    const { statusCode, body } = await internal.inject("/-/stats");
    assert.deepEqual([statusCode, body], [500, "internal error\n"]);
  });

  it("answers on a real socket and closes with connections open", async (t) => {
    const internal = start(t, () => READY);
    const url = await internal.listen({ host: "127.0.0.1", port: 0 });
    assert.equal(await (await fetch(`${url}/livez`)).text(), "ok\n");
    await internal.close();
    await assert.rejects(fetch(`${url}/livez`));
  });
});
