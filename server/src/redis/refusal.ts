// What Redis says when trying again cannot help: somebody has to change a configuration.

/** Redis refuses us for good. The message is a sentence for whoever runs the server. */
export class RedisRefusal extends Error {
  override readonly name = "RedisRefusal";
}

const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS|invalid password|without any password configured|AUTH failed/i, "the user or password is refused"],
  [/^NOAUTH|Authentication required|operation not permitted/i, "a password is asked for, and none is configured"],
  [/^NOPERM|no permissions/i, "the user may not do what is needed; see the ACL line in the documentation"],
  [/DB index is out of range|SELECT is not allowed in cluster mode/i, "the database does not exist there"],
  [/cluster support disabled/i, "it is no Cluster: write redis:// without +cluster"],
];

/** The refusal that an error of Redis means, or `undefined` for one that may pass. The original's text stays out but for its first word. */
export function refusalOf(error: Error): RedisRefusal | undefined {
  if (error instanceof RedisRefusal) return error;
  const found = REFUSALS.find(([pattern]) => pattern.test(error.message));
  return found && new RedisRefusal(`${found[1]} (${error.message.split(" ", 1)[0]})`);
}
