// Who is connected as an account, and disconnecting them.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Control } from "../control/control.ts";
import type { components } from "../generated/openapi.ts";
import type { PushRates } from "../limits/push-rates.ts";
import { callerOf } from "./caller.ts";

type ConnectionList = components["schemas"]["ConnectionList"];
type Disconnect = components["schemas"]["Disconnect"];

export interface AccountsOptions {
  control: Control;
  rates: PushRates;
}

/** GET /api/v1/accounts/{account}/connections */
export function createConnections({ control, rates }: AccountsOptions) {
  return async (request: FastifyRequest): Promise<ConnectionList> => {
    const app = callerOf(request);
    rates.take(app);
    const connections = await control.connections(app.key, accountOf(request));
    return {
      connections: connections.map(({ connectionId, protocol, connectedAtMs, deviceId }) => ({
        connection_id: connectionId,
        protocol,
        connected_at: connectedAtMs,
        ...(deviceId === undefined ? {} : { device_id: deviceId }),
      })),
    };
  };
}

/** POST /api/v1/accounts/{account}/disconnect; the body may be left out. */
export function createDisconnect({ control, rates }: AccountsOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const app = callerOf(request);
    rates.take(app);
    const { connection_id } = (request.body ?? {}) as Disconnect;
    await control.disconnect(app.key, accountOf(request), connection_id);
    return reply.code(202).send();
  };
}

/** The account in the path. */
export function accountOf(request: FastifyRequest): string {
  return (request.params as { account: string }).account;
}
