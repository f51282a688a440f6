// The Application resource as the API server gives it. Its schema has checked the spec; this names what the operator looks at.
import { GROUP, VERSION } from "./kube.ts";

/** Fields of an application under their names in `spec`; those of the server in camelCase. */
export interface ApplicationSpec {
  readonly appKey?: string;
  readonly enabled?: boolean;
  readonly serverRef?: { readonly name?: string };
  readonly credentials?: {
    readonly secretName?: string;
    readonly existingSecretRef?: { readonly name: string; readonly key?: string };
    readonly rotation?: { readonly interval?: string; readonly overlap?: string; readonly trigger?: string };
  };
  readonly [field: string]: unknown;
}

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  /** RFC 3339. */
  readonly lastTransitionTime: string;
}

/** What the operator says of an application; times in RFC 3339. */
export interface ApplicationStatus {
  readonly observedGeneration?: number;
  readonly appKey?: string;
  readonly secretRef?: { readonly name: string };
  /** The Service Binding specification's word for a Secret with all that a binding needs. */
  readonly binding?: { readonly name: string };
  readonly activeKeyId?: string;
  readonly previousKeyExpiresAt?: string;
  readonly lastRotationTime?: string;
  readonly nextRotationTime?: string;
  readonly revision?: string;
  readonly synced?: string;
  readonly conditions?: readonly Condition[];
}

export interface Application {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  /** It is being deleted, and counts as gone: what waits for its Secret to go must not wait for ever. */
  readonly deleting: boolean;
  readonly spec: ApplicationSpec;
  readonly status: ApplicationStatus;
}

/** `NAMESPACE/NAME`, which names an application as long as it exists. */
export function keyOf({ namespace, name }: Pick<Application, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

/** The public name: `spec.appKey`, else NAMESPACE.NAME. */
export function appKeyOf({ namespace, name, spec }: Pick<Application, "namespace" | "name" | "spec">): string {
  return spec.appKey ?? `${namespace}.${name}`;
}

/** Reads an object of the API server. Throws when it is no Application. */
export function readApplication(object: unknown): Application {
  const { kind, apiVersion, metadata, spec, status } = object as RawApplication;
  // The items of a list come without kind and apiVersion.
  if ((kind !== undefined && kind !== "Application") || (apiVersion !== undefined && apiVersion !== `${GROUP}/${VERSION}`))
    throw new Error(`${apiVersion} ${kind} is no Application`);
  if (!metadata?.name || !metadata.namespace || !metadata.uid) throw new Error("an Application without name, namespace and uid");
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion ?? "",
    generation: metadata.generation ?? 0,
    createdMs: Date.parse(metadata.creationTimestamp ?? "") || 0,
    deleting: metadata.deletionTimestamp !== undefined,
    spec: spec ?? {},
    status: status ?? {},
  };
}

interface RawApplication {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: ApplicationSpec;
  readonly status?: ApplicationStatus;
}
