// The Kubernetes API for as long as one leads: a leader that was writes nothing any more.
import { type Kube, KubeError } from "./kube.ts";

/** The same, until the signal; what writes is then refused without being sent. */
export function whileLeading(kube: Kube, signal: AbortSignal): Kube {
  const guard =
    <A extends unknown[], R>(write: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
    async (...args) => {
      if (signal.aborted) throw new KubeError(0, "no longer leading");
      return write(...args);
    };
  return {
    ...kube,
    applyStatus: guard(kube.applyStatus),
    createSecret: guard(kube.createSecret),
    replaceSecret: guard(kube.replaceSecret),
    patchSecret: guard(kube.patchSecret),
    deleteSecret: guard(kube.deleteSecret),
    createEvent: guard(kube.createEvent),
  };
}
