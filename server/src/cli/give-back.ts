// Gives the system back what starting took: reading the API's description and compiling its checks leave tens of megabytes of emptied memory.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Collects once, thoroughly, which takes some 50 ms. Left to itself V8 keeps the memory for as long as nothing happens. */
export function giveBack(): void {
  setFlagsFromString("--expose-gc");
  // Only a context made after the flag has the function.
  const collect = runInNewContext("gc") as (how: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
