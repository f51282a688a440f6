// What the operator asks of the Kubernetes API, and no more: client.ts does it, everything else sees only this.

/** metadata, as far as it is looked at. */
export interface Meta {
  readonly name: string;
  readonly namespace: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** A Secret; `data` in base64. */
export interface Secret {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: Meta;
  readonly type?: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface Lease {
  readonly metadata: Meta;
  /** Empty: nobody's. */
  readonly holder: string;
  readonly durationSeconds: number;
  readonly transitions: number;
  /** Milliseconds since 1970, by the holder's clock: for people to read, never to decide by. */
  readonly acquiredMs: number;
  readonly renewedMs: number;
}

/** An event of `events.k8s.io/v1`, about an Application. */
export interface KubeEvent {
  readonly name: string;
  readonly namespace: string;
  readonly regarding: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  /** Who saw it: the pod. */
  readonly instance: string;
  readonly timeMs: number;
}

/** One address of a Service. */
export interface Endpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  /** The pod, where the API says so. */
  readonly pod: string | undefined;
}

export interface ApplicationList {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
}

export type WatchType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

/** Every method rejects with a KubeError, within seconds also when the API server is silent. */
export interface Kube {
  /** Of one namespace, or of all (`undefined`). */
  listApplications(namespace: string | undefined): Promise<ApplicationList>;
  /** Resolves when the stream ends, for whatever normal reason; until then `onEvent` gets each object as it came. */
  watchApplications(watch: ApplicationWatch): Promise<void>;
  /** Server-side apply of `status`. 409 when the object is another one by now (`uid`). */
  applyStatus(target: StatusTarget, status: object): Promise<void>;
  /** `undefined` when there is none. */
  getSecret(namespace: string, name: string): Promise<Secret | undefined>;
  /** 409 when there is one. */
  createSecret(secret: Secret): Promise<Secret>;
  /** 409 unless it is still the version in `metadata`. */
  replaceSecret(secret: Secret): Promise<Secret>;
  /** A merge patch; 409 unless it is still that version. */
  patchSecret(at: Meta, patch: Partial<Pick<Secret, "data">> & { metadata: Partial<Meta> }): Promise<void>;
  /** 409 unless it is still that version. */
  deleteSecret(at: Meta): Promise<void>;
  createEvent(event: KubeEvent): Promise<void>;
  getLease(namespace: string, name: string): Promise<Lease | undefined>;
  createLease(lease: Lease): Promise<Lease>;
  /** 409 unless it is still the version in `metadata`. */
  replaceLease(lease: Lease): Promise<Lease>;
  /** The endpoints of a Service, from all of its slices. */
  listEndpoints(namespace: string, service: string): Promise<readonly Endpoint[]>;
}

export interface ApplicationWatch {
  readonly namespace: string | undefined;
  /** What follows this version. */
  readonly from: string;
  readonly timeoutSeconds: number;
  readonly onEvent: (type: WatchType, object: unknown) => void;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/** Whose status is meant. */
export interface StatusTarget {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A refusal of the API server, or no answer from it. Its message holds nothing of what was sent: that may be a secret. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** The HTTP status; 0: no answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether an error is this answer of the API server. */
export function isStatus(error: unknown, status: number): boolean {
  return error instanceof KubeError && error.status === status;
}

/** The group of the custom resource. */
export const GROUP = "xlvein.io";
export const VERSION = "v1alpha1";
export const PLURAL = "applications";
/** Who the operator is to the API server: field manager, reporting controller, and the label of the Secrets it has made. */
export const MANAGER = "xlvein-operator";
export const MANAGED_BY = "app.kubernetes.io/managed-by";
