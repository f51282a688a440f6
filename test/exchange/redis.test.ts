// The Redis exchange on one server keeps the contract of all exchanges, and on two servers that share the targets.
import { after } from "node:test";
import type { Exchange } from "../../server/src/exchange/exchange.ts";
import { createRedisExchange } from "../../server/src/exchange/redis.ts";
import { createLog } from "../../server/src/log.ts";
import type { WireVersion } from "../../server/src/protocol/envelope.ts";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { exchangeContract } from "./contract.ts";

const log = createLog({ level: "silent" });
const hooks: (() => unknown)[] = [];
after(async () => {
  for (const hook of hooks) await hook();
});
const servers = [
  await startRedis({ after: (hook) => void hooks.push(hook as () => unknown) }),
  await startRedis({ after: (hook) => void hooks.push(hook as () => unknown) }),
];

let node = 0;
function create(prefix: string, addresses: readonly string[], wireVersion: WireVersion = 1): Exchange {
  const links = createRedisLinks({ addresses, prefix, log });
  return createRedisExchange({ links, prefix, nodeId: `node-${++node}`, log, onPoison: () => {}, wireVersion });
}

const single = (wireVersion?: WireVersion) =>
  create(
    "single",
    servers.slice(0, 1).map(({ url }) => url),
    wireVersion,
  );
exchangeContract("redis", () => single(), { createPeer: () => single() });
exchangeContract("redis, where one node writes version 2", () => single(2), { createPeer: () => single() });
const shared = () =>
  create(
    "shared",
    servers.map(({ url }) => url),
  );
exchangeContract("redis on two shards", shared, { createPeer: shared });
