// The Secret that a backend reads: the address, the key and the secret of its application, in the words of the Service Binding specification.
import { MIN_SECRET_BYTES } from "../apps/secrets.ts";
import type { Application } from "./application.ts";
import type { Problem } from "./claims.ts";
import type { NamedSecret } from "./credentials.ts";
import { GROUP, MANAGED_BY, MANAGER, type Meta, type Secret, VERSION } from "./kube.ts";

/** What every Secret says beside its application. */
export interface Addresses {
  readonly connectUrl: string;
  readonly pushUrl: string;
}

/** Names the secret inside, for who adopts it when everything else is lost. */
const SECRET_ID = `${GROUP}/secret-id`;

/** How the Secret that was found stands to its application. */
export type Found =
  | { readonly kind: "none" }
  /** Its own. */
  | { readonly kind: "own"; readonly secret: Secret; readonly told: NamedSecret | undefined }
  /** Of an application of the same name that is gone: the garbage collector has not come by yet. */
  | { readonly kind: "left"; readonly secret: Secret }
  | { readonly kind: "foreign"; readonly problem: Problem };

/** The name of an application's Secret. */
export function secretNameOf({ name, spec }: Pick<Application, "name" | "spec">): string {
  return spec.credentials?.secretName ?? `${name}-xlvein`;
}

/** Tells whose a Secret is. What the operator has not made it does not touch. */
export function judge(secret: Secret | undefined, app: Application): Found {
  if (secret === undefined) return { kind: "none" };
  const owner = secret.metadata.ownerReferences?.find(({ kind, apiVersion }) => kind === "Application" && apiVersion.startsWith(`${GROUP}/`));
  const isOurs = secret.metadata.labels?.[MANAGED_BY] === MANAGER;
  if (isOurs && owner?.uid === app.uid) return { kind: "own", secret, told: toldBy(secret) };
  if (isOurs && owner?.name === app.name) return { kind: "left", secret };
  const whose = isOurs && owner !== undefined ? `belongs to Application ${app.namespace}/${owner.name}` : "was not made by the operator";
  return { kind: "foreign", problem: { reason: "SecretNotOwned", message: `Secret ${secret.metadata.name} ${whose}; choose another credentials.secretName` } };
}

function toldBy({ data, metadata }: Secret): NamedSecret | undefined {
  const secret = decode(data["app_secret"]);
  return secret === "" ? undefined : { id: metadata.annotations?.[SECRET_ID] ?? "adopted", secret };
}

/** The Secret as it should be. */
export function desiredSecret(app: Application, appKey: string, { id, secret }: NamedSecret, { connectUrl, pushUrl }: Addresses): Secret {
  const texts = {
    type: "xlvein",
    provider: "xlvein",
    app_key: appKey,
    app_secret: secret,
    connect_url: connectUrl,
    push_url: pushUrl,
    ...hostAndPort(pushUrl),
  };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: secretNameOf(app),
      namespace: app.namespace,
      labels: { [MANAGED_BY]: MANAGER, "app.kubernetes.io/part-of": "xlvein" },
      annotations: { [SECRET_ID]: id },
      ownerReferences: [{ apiVersion: `${GROUP}/${VERSION}`, kind: "Application", name: app.name, uid: app.uid, controller: true, blockOwnerDeletion: false }],
    },
    type: "servicebinding.io/xlvein",
    data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, encode(text)])),
  };
}

/** What has to change of a Secret that is there; `undefined` when nothing. Labels, annotations and keys of others stay. */
export function differences(
  found: Secret,
  wanted: Secret,
): { readonly at: Meta; readonly patch: { metadata: Partial<Meta>; data: Record<string, string> } } | undefined {
  const labels = changed(found.metadata.labels, wanted.metadata.labels);
  const annotations = changed(found.metadata.annotations, wanted.metadata.annotations);
  const data = changed(found.data, wanted.data);
  if (Object.keys({ ...labels, ...annotations, ...data }).length === 0) return undefined;
  return { at: found.metadata, patch: { metadata: { labels, annotations }, data } };
}

function changed(found: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([key, text]) => found[key] !== text));
}

/** The secret in a Secret of the application's owner. */
export function readExisting(secret: Secret | undefined, name: string, key: string): { readonly secret: string } | { readonly problem: Problem } {
  if (secret === undefined) return { problem: { reason: "SecretMissing", message: `there is no Secret ${name}` } };
  const text = decode(secret.data[key]);
  if (text === "") return { problem: { reason: "SecretMissing", message: `Secret ${name} has no key ${key}` } };
  if (Buffer.byteLength(text) < MIN_SECRET_BYTES) {
    const message = `${key} of Secret ${name} has ${Buffer.byteLength(text)} bytes; at least ${MIN_SECRET_BYTES} are needed`;
    return { problem: { reason: "SecretTooShort", message } };
  }
  return { secret: text };
}

export function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}

export function decode(base64: string | undefined): string {
  return base64 === undefined ? "" : Buffer.from(base64, "base64").toString();
}

function hostAndPort(pushUrl: string): { host?: string; port?: string } {
  const url = URL.parse(pushUrl);
  if (url === null) return {};
  return { host: url.hostname, port: url.port || (url.protocol === "https:" ? "443" : "80") };
}
