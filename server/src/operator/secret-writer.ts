// Does to an application's Secret what was planned.
import type { Application } from "./application.ts";
import { isStatus, type Kube, type Secret } from "./kube.ts";
import { formerSecret, type News, type SecretAction } from "./plan.ts";
import { differences, judge, secretNameOf } from "./tenant-secret.ts";

type SecretKube = Pick<Kube, "getSecret" | "createSecret" | "patchSecret" | "deleteSecret">;

/** What came of it. */
export interface Written {
  /** It was made or changed. */
  readonly changed: boolean;
  readonly news: readonly News[];
}

const NOTHING: Written = { changed: false, news: [] };

/** Rejects with a KubeError: 409 when the Secret has changed since it was seen. */
export async function writeSecret(kube: SecretKube, action: SecretAction): Promise<Written> {
  switch (action.kind) {
    case "none":
      return NOTHING;
    case "create":
      return create(kube, action.wanted);
    case "recreate":
      await kube.deleteSecret(action.left.metadata);
      return create(kube, action.wanted);
    case "update": {
      const change = differences(action.found, action.wanted);
      if (change === undefined) return NOTHING;
      await kube.patchSecret(change.at, change.patch);
      return { changed: true, news: [] };
    }
  }
}

async function create(kube: SecretKube, wanted: Secret): Promise<Written> {
  await kube.createSecret(wanted);
  return { changed: true, news: [{ type: "Normal", reason: "SecretCreated", note: `Secret ${wanted.metadata.name} holds the credentials` }] };
}

/** Deletes the Secret that the application had under another name, if it is the operator's. */
export async function deleteFormer(kube: SecretKube, app: Application): Promise<void> {
  const former = formerSecret(app);
  if (former === undefined || former === secretNameOf(app)) return;
  const found = judge(await kube.getSecret(app.namespace, former), app);
  if (found.kind !== "own") return;
  await kube.deleteSecret(found.secret.metadata).catch((error: unknown) => {
    if (!isStatus(error, 404)) throw error;
  });
}
