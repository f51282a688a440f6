// What takes minutes to make is made once: a folder outside the checkout, and a lock against making a thing twice at a time.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where the cluster's programs and images are kept. */
export const CACHE = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "xlvein");

/** Twelve characters that stand for the content of these files and texts. */
export function fingerprint(files: readonly string[], texts: readonly string[] = []): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex").slice(0, 12);
}

/** Does the work while no other process does work under the same name. The lock goes with this process, however it ends. */
export async function alone<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  mkdirSync(CACHE, { recursive: true });
  // flock holds it until cat has read to the end of what we never write.
  const holder = spawn("flock", [join(CACHE, `${name}.lock`), "sh", "-c", "echo held; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "exit");
  await Promise.race([once(holder.stdout, "data"), ended.then(() => Promise.reject(new Error(`${name}.lock in ${CACHE} cannot be taken`)))]);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
