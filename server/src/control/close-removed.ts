// What a new set of applications means for sockets: those of removed or disabled ones end, all others are left alone.
import type { AppChange } from "../apps/registry.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Hub } from "../hub/hub.ts";

/** Closes (4003) the sockets of applications that are no longer there or no longer enabled. */
export function closeRemoved(hub: Hub, { previous, current }: AppChange): void {
  const ended = new Set([...previous.apps.keys()].filter((key) => !current.apps.get(key)?.enabled));
  if (ended.size === 0) return;
  for (const connection of hub.all()) if (ended.has(connection.app)) connection.close(CloseCode.APP_DISABLED, "application removed or disabled");
}
