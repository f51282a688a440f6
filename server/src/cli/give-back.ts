// Gives the system back what starting took: reading the API's description and compiling its checks leave tens of megabytes of emptied memory.
import { executionAsyncResource } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What `process.nextTick` queues, one of it. V8 forgets the shape of objects none of which is alive, and Node's code that makes these would be five times slower ever after: each push does so seven times. */
const keptTicks: object[] = [];

/** Collects once, thoroughly, when this turn's work is done; that takes some 50 ms. Left to itself V8 keeps the memory for as long as nothing happens. */
export function giveBack(): void {
  setFlagsFromString("--expose-gc");
  // Only a context made after the flag has the function.
  const collect = runInNewContext("gc") as (how: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;
  process.nextTick(() => {
    keptTicks.push(executionAsyncResource());
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
  });
}
