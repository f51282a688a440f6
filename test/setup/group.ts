// A process group: a program and whatever it started, ended together.
import { readdir, readFile } from "node:fs/promises";

const POLL_MS = 50;

/** Ends every member at once. */
export function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}

/** Waits for the members to end by themselves; after `waitMs` answers the command lines of those that did not (on Linux; elsewhere nobody looks). */
export async function leftInGroup(group: number, waitMs: number): Promise<string[]> {
  for (const until = performance.now() + waitMs; ; ) {
    const members = await groupMembers(group);
    if (members.length === 0 || performance.now() > until) return members;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function groupMembers(group: number): Promise<string[]> {
  const pids = await readdir("/proc").catch(() => []);
  const found = pids.filter((pid) => /^\d+$/.test(pid)).map((pid) => commandIfMember(pid, group));
  return (await Promise.all(found)).filter((command) => command !== undefined);
}

/** /proc/PID/stat reads `pid (name) state ppid pgrp …`; a zombie is no longer running. */
async function commandIfMember(pid: string, group: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (pgrp !== String(group) || state === "Z") return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.replaceAll("\0", " ").trim().slice(0, 200) || `process ${pid}`;
}
