// What a message costs as there is more of everything.
import type { Scenario } from "../harness/scenario.ts";
import { accounts } from "./accounts.ts";
import { apps } from "./apps.ts";
import { connections } from "./connections.ts";
import { history } from "./history.ts";
import { rooms } from "./rooms.ts";

export const scenarios: readonly Scenario[] = [connections, apps, accounts, rooms, history];
