// A bound on a wait.

/** Settles as the promise does, or rejects with `expired()` when that takes longer than `ms`. */
export function within<T>(ms: number, promise: Promise<T>, expired: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(expired()), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
