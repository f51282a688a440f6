// A shard that is a Redis Cluster: up while each of its masters answers and every slot has one.
import type { SecureContextOptions } from "node:tls";
import type { Redis } from "ioredis";
import type { RedisAddress } from "../config/broker-url.ts";
import { admit } from "./admit.ts";
import { createLink } from "./link.ts";
import type { Shard } from "./links.ts";
import { createCluster, createConnection } from "./options.ts";
import type { ManagedShard, ShardOptions } from "./shard.ts";
import { SLOTS } from "./slot.ts";
import { watch } from "./watchdog.ts";

/** Between two looks at the masters while one is missing, ms. A look is one CLUSTER SLOTS. */
const LOOK_MS = 200;

export function createClusterShard(address: RedisAddress, pem: SecureContextOptions, { index, name, log, agree, onChange }: ShardOptions): ManagedShard {
  const commands = createCluster(address, pem);
  const watched = new Map<Redis, () => void>();
  let closed = false;
  let look: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;

  const link = createLink({
    name,
    log,
    async admit() {
      for (const node of commands.nodes("master")) await admit(node, "cluster node");
      await agree(commands);
    },
    onChange: () => onChange(shard),
  });

  /** The masters that own slots, or `undefined` while one of them, or of the slots, is missing. */
  function complete(): boolean {
    if (commands.status !== "ready") return false;
    const ready = new Set(commands.nodes("master").flatMap(({ status, options: { host, port } }) => (status === "ready" ? `${host}:${port}` : [])));
    for (let slot = 0; slot < SLOTS; slot++) {
      const owner = commands.slots[slot]?.[0];
      if (owner === undefined || !ready.has(owner)) return false;
    }
    return ready.size > 0;
  }
  function watchNode(node: Redis): void {
    if (watched.has(node)) return;
    watched.set(node, watch(node, { dead: (reason) => link.lost(`${node.options.host}:${node.options.port}: ${reason}`) }));
    node.on("ready", inspect);
  }
  function unwatchNode(node: Redis): void {
    watched.get(node)?.();
    watched.delete(node);
    node.off("ready", inspect);
    inspect();
  }
  /** Looks again until all is there: nobody else would read the slots anew while nothing is sent. */
  function inspect(): void {
    clearTimeout(look);
    if (closed) return;
    if (complete()) return link.reached();
    link.lost("a master is away");
    look = setTimeout(() => {
      if (commands.status === "ready") commands.refreshSlotsCache(() => {});
      inspect();
    }, LOOK_MS);
  }
  function connect(): void {
    commands.connect().catch(() => {});
  }

  commands.on("+node", watchNode);
  commands.on("-node", unwatchNode);
  commands.on("refresh", inspect);
  commands.on("ready", inspect);
  commands.on("close", inspect);
  commands.on("error", (error: Error) => link.failed((error as { lastNodeError?: Error }).lastNodeError ?? error));
  commands.on("node error", link.failed);
  commands.on("end", () => {
    if (!closed) retry = setTimeout(connect, LOOK_MS);
  });

  const shard: Shard = {
    index,
    name,
    commands,
    // Its nodes have a connection each, which it keeps to itself.
    cork() {},
    cluster: true,
    get up() {
      return link.up;
    },
    get detail() {
      return link.detail;
    },
    subscriber: (node) => createConnection(address, pem, node),
  };
  return {
    shard,
    first: link.first,
    connect,
    close() {
      closed = true;
      clearTimeout(look);
      clearTimeout(retry);
      for (const stop of watched.values()) stop();
      watched.clear();
      link.close();
      commands.disconnect();
    },
  };
}
