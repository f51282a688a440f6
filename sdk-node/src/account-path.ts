// Paths of the API that name an account.
import type { paths } from "./generated/openapi.ts";
import { checkAccount } from "./message.ts";

type AccountPath = Extract<keyof paths, `${string}{account}${string}`>;

/** Puts an account into a path. @throws TypeError for what no URL can carry. */
export function accountPath(operation: string, path: AccountPath, account: string): string {
  checkAccount(`${operation}: account`, account);
  // Every URL parser takes these for directories, however they are encoded.
  if (account === "." || account === "..") throw new TypeError(`${operation}: the account "${account}" cannot stand in a URL`);
  try {
    return path.replace("{account}", encodeURIComponent(account));
  } catch (cause) {
    throw new TypeError(`${operation}: account holds half of a surrogate pair`, { cause });
  }
}
