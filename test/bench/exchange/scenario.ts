// Several nodes and a broker between them.
import type { Scenario } from "../harness/scenario.ts";
import { crossNode, crossNodeRabbitmq } from "./latency.ts";
import { nodes } from "./more-nodes.ts";
import { resubscribe, resubscribeRabbitmq } from "./resubscribe.ts";
import { routing } from "./routing.ts";
import { exchange } from "./throughput.ts";

export const scenarios: readonly Scenario[] = [exchange, nodes, crossNode, crossNodeRabbitmq, resubscribe, resubscribeRabbitmq, routing];
