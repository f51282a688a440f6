// What the store holds, read by a process that is no node.
import type { TestContext } from "node:test";
import { createLog } from "../../../server/src/log.ts";
import { accountTarget } from "../../../server/src/protocol/target.ts";
import { createRedisLinks } from "../../../server/src/redis/connect.ts";
import { createRedisStore } from "../../../server/src/store/redis.ts";
import type { Store } from "../../../server/src/store/store.ts";

const ALL = 200_000;

export interface Stored {
  readonly store: Store;
  /** The ids in an account's stream, oldest first. */
  idsOf(account: string): Promise<readonly string[]>;
}

/** Opens the store of the application `test` at an address. */
export async function openStored(t: Pick<TestContext, "after">, address: string, prefix = "xlvein"): Promise<Stored> {
  const log = createLog({ level: "silent" });
  const links = createRedisLinks({ addresses: [address], prefix, log });
  const store = createRedisStore({ links, prefix, publish: false, historyOf: () => ({ messages: 100_000, ms: 3_600_000 }), log, now: Date.now });
  t.after(() => store.close());
  await store.open();
  return {
    store,
    async idsOf(account) {
      const target = accountTarget("test", account);
      const [position] = await store.positions([target]);
      const missed = await store.missed(target, { epoch: position?.epoch ?? "", offset: 0, msgId: "" }, ALL);
      return "entries" in missed ? missed.entries.map(({ message }) => message.msgId) : [];
    },
  };
}
