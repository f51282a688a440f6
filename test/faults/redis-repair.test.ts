// The checker itself: of two nodes in the same outage the one without the repair loses messages, and the verdict says so.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRedisExchange } from "../../server/src/exchange/redis.ts";
import { createLog } from "../../server/src/log.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import type { Envelope } from "../../server/src/protocol/envelope.ts";
import { Event } from "../../server/src/protocol/message.ts";
import { accountTarget, type Target } from "../../server/src/protocol/target.ts";
import { createOrder } from "../../server/src/recover/order.ts";
import { createRepair } from "../../server/src/recover/repair.ts";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import { createRedisStore } from "../../server/src/store/redis.ts";
import type { Store } from "../../server/src/store/store.ts";
import { startSteadyRedis } from "../helpers/steady-redis.ts";
import { startProxy } from "./harness/proxy.ts";
import { describeVerdict, FAULTLESS, faultsOf, judge } from "./harness/verdict.ts";

const PREFIX = "xlvein";
const ACCOUNTS = ["one", "two", "three", "four"];
const KILLS = 3;
/** How much later than the publisher the nodes find Redis again. */
const LATER_MS = 300;
const log = createLog({ level: "silent" });

interface Came {
  readonly account: string;
  readonly publisher: number;
  readonly seq: number;
}

function openStore(address: string) {
  const links = createRedisLinks({ addresses: [address], prefix: PREFIX, log });
  const store = createRedisStore({ links, prefix: PREFIX, publish: true, historyOf: () => ({ messages: 10_000, ms: 600_000 }), log, now: Date.now });
  return { links, store };
}

/** The rooms of a node that a message passes on its way in, put together as the server does, or without what mends gaps. */
async function startRooms(t: TestContext, address: string, repairs: boolean): Promise<Came[]> {
  const arrivals: Came[] = [];
  const { links, store } = openStore(address);
  const exchange = createRedisExchange({ links, prefix: PREFIX, nodeId: `repairs-${repairs}`, log, onPoison: () => {} });
  const deliver = ({ name }: Target, envelope: Envelope) => {
    if (envelope.kind === "message") arrivals.push({ account: name, ...(JSON.parse(envelope.message.data) as Omit<Came, "account">) });
  };
  const repair = createRepair({ store, deliver, gap() {}, metrics: createMetrics("test"), log });
  const order = createOrder({ store, remember: 100, repair, deliver });
  t.after(async () => {
    order.close();
    await exchange.close();
    await store.close();
  });
  await store.open();
  if (repairs) await exchange.open(order.receive, (targets) => void order.compare(targets));
  else
    await exchange.open(
      ({ target }, envelope) => deliver(target, envelope),
      () => {},
    );
  for (const account of ACCOUNTS) {
    await exchange.hold(accountTarget("test", account));
    if (repairs) await order.follow(accountTarget("test", account));
  }
  return arrivals;
}

/** Appends until it is acknowledged. */
async function insist(store: Store, { account, publisher, seq }: Came): Promise<void> {
  const message = { msgId: `${publisher}-${seq}`, event: Event.SYSTEM, sendAt: Date.now(), data: JSON.stringify({ publisher, seq }) };
  for (;;) {
    try {
      await store.append(accountTarget("test", account), message, 60_000);
      return;
    } catch {
      await sleep(10);
    }
  }
}

test("the same outages are mended by a node that repairs, and show as loss in one that does not", async (t) => {
  const redis = await startSteadyRedis(t);
  const proxy = await startProxy(t, redis.port);
  const address = `redis://127.0.0.1:${proxy.port}`;
  const [repairing, plain] = [await startRooms(t, address, true), await startRooms(t, address, false)];
  const { store: publisher } = openStore(redis.url);
  t.after(() => publisher.close());
  await publisher.open();

  const acknowledged: Came[] = [];
  let stop = false;
  const publishers = ACCOUNTS.map(async (account, publisherId) => {
    for (let seq = 1; !stop; seq++) {
      const sent = { account, publisher: publisherId, seq };
      await insist(publisher, sent);
      acknowledged.push(sent);
      await sleep(5);
    }
  });
  for (let kill = 0; kill < KILLS; kill++) {
    const enough = acknowledged.length + 50;
    while (acknowledged.length < enough) await sleep(5);
    proxy.refuse = true;
    await redis.kill();
    await redis.start();
    await sleep(LATER_MS);
    proxy.refuse = false;
  }
  const enough = acknowledged.length + 200;
  while (acknowledged.length < enough) await sleep(5);
  stop = true;
  await Promise.all(publishers);
  for (let i = 0; i < 50 && judge(acknowledged, repairing).lost > 0; i++) await sleep(100);

  const [mended, control] = [judge(acknowledged, repairing), judge(acknowledged, plain)];
  t.diagnostic(`with the repair: ${describeVerdict(mended)}`);
  t.diagnostic(`without: ${describeVerdict(control)}`);
  assert.deepEqual(faultsOf(mended), FAULTLESS);
  assert.ok(control.lost > 0, "a checker that sees no loss here would see none anywhere");
  assert.notDeepEqual(faultsOf(control), FAULTLESS);
});
