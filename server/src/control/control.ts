// What a backend may ask about connections, and the orders it may give them.
import type { Exchange } from "../exchange/exchange.ts";
import type { Hub } from "../hub/hub.ts";
import { kickEnvelope } from "../protocol/envelope.ts";
import { accountTarget } from "../protocol/target.ts";

export interface ConnectionInfo {
  readonly connectionId: string;
  readonly protocol: "classic" | "v2";
  /** Milliseconds since 1970. */
  readonly connectedAtMs: number;
  readonly deviceId?: string;
}

export interface Control {
  /** The account's connections, oldest first. */
  connections(app: string, account: string): Promise<ConnectionInfo[]>;
  /** Orders every node to close the account's connections (4010), or the one named. Rejects with EXCHANGE_UNAVAILABLE. */
  disconnect(app: string, account: string, connectionId?: string): Promise<void>;
}

export function createControl(hub: Hub, exchange: Exchange): Control {
  return {
    async connections(app, account) {
      return hub.connections(app, account).map(({ id, protocol, connectedAtMs, deviceId }) => ({
        connectionId: id,
        protocol,
        connectedAtMs,
        ...(deviceId === undefined ? {} : { deviceId }),
      }));
    },
    disconnect: (app, account, connectionId) => exchange.publish([{ target: accountTarget(app, account), position: undefined }], kickEnvelope(connectionId)),
  };
}
