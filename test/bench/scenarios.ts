// Every scenario of the bench, in the order in which they run.
import { scenarios as connect } from "./connect/scenario.ts";
import { scenarios as deflate } from "./deflate/scenario.ts";
import { scenarios as drops } from "./drops/scenario.ts";
import { scenarios as exchange } from "./exchange/scenario.ts";
import { scenarios as fanout } from "./fanout/scenario.ts";
import { scenarios as growth } from "./growth/scenario.ts";
import type { Scenario } from "./harness/scenario.ts";
import { scenarios as latency } from "./latency/scenario.ts";
import { scenarios as memory } from "./memory/scenario.ts";
import { scenarios as pubs } from "./pubs/scenario.ts";
import { scenarios as push } from "./push/scenario.ts";
import { scenarios as storm } from "./storm/scenario.ts";

export const scenarios: readonly Scenario[] = [
  ...fanout,
  ...deflate,
  ...push,
  ...pubs,
  ...latency,
  ...connect,
  ...memory,
  ...drops,
  ...storm,
  ...exchange,
  ...growth,
];
