// Secrets that an installation needs once: made where they are absent, never changed.
import { randomBytes } from "node:crypto";
import { isStatus, type Kube, KubeError, type Secret } from "./kube.ts";
import { encode } from "./tenant-secret.ts";

/** The names of Secrets to make; each is optional. */
export interface BootstrapWishes {
  readonly namespace: string;
  readonly redis?: string | undefined;
  readonly rabbitmq?: { readonly name: string; readonly username: string } | undefined;
  readonly application?: { readonly name: string; readonly appKey: string; readonly connectUrl: string; readonly pushUrl: string } | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** What became of a Secret. */
export interface Bootstrapped {
  readonly name: string;
  readonly outcome: "created" | "present";
}

/** The Secrets with new random values, 256 bits each. */
export function planBootstrap({ namespace, redis, rabbitmq, application, labels }: BootstrapWishes, random: () => string = randomSecret): Secret[] {
  const secret = (name: string, texts: Readonly<Record<string, string>>): Secret => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    type: "Opaque",
    data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, encode(text)])),
  });
  return [
    ...(redis === undefined ? [] : [secret(redis, redisTexts(random()))]),
    ...(rabbitmq === undefined ? [] : [secret(rabbitmq.name, rabbitmqTexts(rabbitmq.username, random()))]),
    ...(application === undefined ? [] : [secret(application.name, applicationTexts(application, random()))]),
  ];
}

/** `auth.conf` is included by the server's own configuration: a password has no place on a command line. */
function redisTexts(password: string): Record<string, string> {
  return { password, "auth.conf": `requirepass ${password}\n` };
}

function rabbitmqTexts(username: string, password: string): Record<string, string> {
  return { username, password, "default_user.conf": `default_user = ${username}\ndefault_pass = ${password}\n` };
}

function applicationTexts({ appKey, connectUrl, pushUrl }: NonNullable<BootstrapWishes["application"]>, appSecret: string): Record<string, string> {
  const applications = [{ app_key: appKey, app_secret: appSecret }];
  return {
    ...{ type: "xlvein", provider: "xlvein", app_key: appKey, app_secret: appSecret, connect_url: connectUrl, push_url: pushUrl },
    "applications.json": JSON.stringify({ applications }),
  };
}

function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Makes each Secret that is absent. One that is there stays as it is; rejects with a KubeError when it lacks a key. */
export async function bootstrap(kube: Pick<Kube, "createSecret" | "getSecret">, secrets: readonly Secret[]): Promise<Bootstrapped[]> {
  const done: Bootstrapped[] = [];
  for (const secret of secrets) done.push({ name: secret.metadata.name, outcome: await createOrCheck(kube, secret) });
  return done;
}

async function createOrCheck(kube: Pick<Kube, "createSecret" | "getSecret">, secret: Secret): Promise<Bootstrapped["outcome"]> {
  const { namespace, name } = secret.metadata;
  try {
    await kube.createSecret(secret);
    return "created";
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
  const found = await kube.getSecret(namespace, name);
  const missing = Object.keys(secret.data).filter((key) => !found?.data[key]);
  if (missing.length === 0) return "present";
  throw new KubeError(409, `Secret ${namespace}/${name} exists and lacks ${missing.join(", ")}: add them, or delete it so that it is made anew`);
}
