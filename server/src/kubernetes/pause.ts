// How long to wait before the Kubernetes API is asked again.

/** Doubles from failure to failure, `failures` of them before this one, up to `longestMs`; half of it by chance, so that not everybody comes at once. */
export function retryPause(firstMs: number, longestMs: number, failures: number): number {
  return Math.min(longestMs, firstMs * 2 ** failures) * (0.5 + Math.random() / 2);
}
