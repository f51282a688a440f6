// A shard that is one server, or the master that Sentinels name.
import type { SecureContextOptions } from "node:tls";
import type { RedisAddress } from "../config/broker-url.ts";
import { admit, askRole } from "./admit.ts";
import { cork } from "./cork.ts";
import { createLink } from "./link.ts";
import type { Shard } from "./links.ts";
import { createConnection } from "./options.ts";
import type { ManagedShard, ShardOptions } from "./shard.ts";
import { destroy, watch } from "./watchdog.ts";

export function createSingleShard(address: RedisAddress, pem: SecureContextOptions, { index, name, log, agree, onChange }: ShardOptions): ManagedShard {
  const commands = createConnection(address, pem);
  const link = createLink({
    name,
    log,
    async admit() {
      try {
        await admit(commands, "server");
        await agree(commands);
      } catch (error) {
        // A replica, or what answers no more: another connection may be led elsewhere.
        destroy(commands);
        throw error;
      }
    },
    onChange: () => onChange(shard),
  });
  let stopWatching = () => {};
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  commands.on("ready", link.reached);
  commands.on("close", () => link.lost("the connection is closed"));
  commands.on("error", link.failed);
  commands.on("end", () => {
    if (!closed) retry = setTimeout(connect, 200);
  });
  function connect(): void {
    commands.connect().catch(() => {});
  }

  const shard: Shard = {
    index,
    name,
    commands,
    cork: () => cork(commands),
    cluster: false,
    get up() {
      return link.up;
    },
    get detail() {
      return link.detail;
    },
    subscriber: () => createConnection(address, pem),
  };
  return {
    shard,
    first: link.first,
    connect() {
      stopWatching = watch(commands, { ask: askRole, dead: link.lost });
      connect();
    },
    close() {
      closed = true;
      clearTimeout(retry);
      stopWatching();
      link.close();
      commands.disconnect();
    },
  };
}
