// The test cluster itself: two nodes come up, find each other, and leave nothing behind.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { startCluster } from "./cluster.ts";

/** What somebody would have to clean up: of this process, or where all share one place, of anybody. */
function traces(mark: string): readonly string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(mark));
  const groups = readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" }).filter((path) => path.includes(`xlvein-test-${process.pid}-`));
  const places = ["/sys/class/net", "/run/netns", "/var/lib", "/var/log", "/etc/cni"].filter((path) => existsSync(path));
  return [
    ...mounts.filter((line) => line.includes(mark)),
    ...processes.map((pid) => `process ${pid} ${commandLine(pid)}`),
    ...groups,
    ...readdirSync(tmpdir()).filter((name) => name.includes(mark)),
    ...places.flatMap((path) => readdirSync(path).map((name) => `${path}/${name}`)),
  ];
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

test("a cluster of two nodes is up, and leaves nothing behind", { timeout: 180_000 }, async (t) => {
  const mark = `xlvein-cluster-${process.pid}-`;
  const before = new Set(traces(mark));
  const undo: (() => unknown)[] = [];
  const startMs = performance.now();
  const cluster = await startCluster({ after: (work) => undo.push(work) }, { images: [], nodes: 2 });
  t.diagnostic(`ready after ${(performance.now() - startMs).toFixed(0)} ms`);
  try {
    const nodes = await cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}");
    assert.equal(nodes, "node1 node2");
    assert.ok(traces(mark).some((trace) => trace.startsWith("process ") && trace.includes("kubelet")));
  } finally {
    for (const work of undo.toReversed()) await work();
  }
  assert.deepEqual(
    traces(mark).filter((trace) => !before.has(trace)),
    [],
  );
});
