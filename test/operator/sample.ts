// Applications and Secrets as the operator sees them, for its tests.
import type { Entry } from "../../server/src/operator/aggregate.ts";
import type { Application, ApplicationSpec } from "../../server/src/operator/application.ts";
import { type Credentials, firstCredentials } from "../../server/src/operator/credentials.ts";
import type { Secret } from "../../server/src/operator/kube.ts";
import { desiredSecret } from "../../server/src/operator/tenant-secret.ts";

/** 2030-01-01T00:00:00Z */
export const NOW = 1_893_456_000_000;
export const ADDRESSES = { connectUrl: "wss://push.example.com/ws/connect", pushUrl: "https://push.example.com" };

/** A secret that is long enough, and says which one it is. */
export function secretOf(id: string): { id: string; secret: string } {
  return { id, secret: id.padEnd(43, "-") };
}

export function application(name: string, spec: ApplicationSpec = {}, more: Partial<Application> = {}): Application {
  return {
    namespace: "shop",
    name,
    uid: `uid-${name}`,
    resourceVersion: "1",
    generation: 1,
    createdMs: NOW - 1_000,
    deleting: false,
    spec,
    status: {},
    ...more,
  };
}

export function entry(app: Application, credentials: Credentials = firstCredentials(secretOf(`${app.name}-1`), NOW, ""), more: Partial<Entry> = {}): Entry {
  const { uid, namespace, name } = app;
  return { uid, namespace, name, appKey: `${namespace}.${name}`, existing: false, credentials, fields: {}, revision: 0, ...more };
}

/** An application's Secret with this secret in it, as the API server shows it. */
export function tenantSecret(app: Application, named: { id: string; secret: string }): Secret {
  const made = desiredSecret(app, `${app.namespace}.${app.name}`, named, ADDRESSES);
  return { ...made, metadata: { ...made.metadata, uid: "uid-secret", resourceVersion: "7" } };
}
