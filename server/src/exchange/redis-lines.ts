// The only line of a shard that is one server.
import type { LineParts, Lines } from "./redis-ears.ts";
import { createLine } from "./redis-line.ts";

export function createSingleLine({ shard, setProbe, probeChannel, ...parts }: LineParts): Lines {
  const line = createLine({ ...parts, connect: () => shard.subscriber(), sharded: false, name: shard.name, misplaced: () => {}, lost: () => {} });
  return {
    get up() {
      return line.up;
    },
    get detail() {
      return line.detail;
    },
    get refusal() {
      return line.refusal;
    },
    rosterOf: () => line.roster,
    open() {
      setProbe(line, probeChannel(0));
      line.open();
    },
    close: line.close,
  };
}
