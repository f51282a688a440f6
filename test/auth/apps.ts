// Applications for tests, made without configuration files.
import { createSecretKey } from "node:crypto";
import { type App, type AppSecret, RIGHTS } from "../../server/src/apps/app.ts";
import { type AppRegistry, createAppRegistry } from "../../server/src/apps/registry.ts";

export const SECRET = "j8jasd98efan9sdfj89asjdf";

export function makeSecret(text: string, id = "default", notAfterMs = Number.POSITIVE_INFINITY): AppSecret {
  return { id, text, notAfterMs, key: createSecretKey(Buffer.from(text)) };
}

/** The application `test` of the classic sample, changed as told. */
export function makeApp(changes: Partial<Omit<App, "limits">> & { limits?: Partial<App["limits"]> } = {}): App {
  const { limits, ...rest } = changes;
  return {
    key: "test",
    enabled: true,
    secrets: [makeSecret(SECRET)],
    algorithms: ["HS256"],
    pushAuth: new Set(["sign", "bearer"]),
    nonceReuse: "refuse",
    nonceTtlMs: 300_000,
    requireExp: false,
    closeOnExpiry: false,
    deflate: false,
    allowedOrigins: new Set(),
    clientRights: new Set(RIGHTS),
    history: undefined,
    slow: "close",
    rooms: [],
    ...rest,
    limits: {
      maxConnections: Number.POSITIVE_INFINITY,
      maxConnectionsPerAccount: Number.POSITIVE_INFINITY,
      maxMessageBytes: 65_536,
      messagesPerSecondPerConnection: Number.POSITIVE_INFINITY,
      pushesPerSecond: Number.POSITIVE_INFINITY,
      maxRoomsPerConnection: 128,
      ...limits,
    },
  };
}

export function makeRegistry(...apps: readonly App[]): AppRegistry {
  return createAppRegistry(makeSet(...apps));
}

export function makeSet(...apps: readonly App[]): Parameters<AppRegistry["replace"]>[0] {
  return { revision: "r1", apps: new Map(apps.map((app) => [app.key, app])) };
}
