// Following the applications: lists, watches, and what happens when they break off.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { type TestContext, test } from "node:test";
import { createLog } from "../../server/src/log.ts";
import { createApplications } from "../../server/src/operator/applications.ts";
import { type ApplicationWatch, KubeError } from "../../server/src/operator/kube.ts";

const object = (name: string, more: object = {}, generation = 1) => ({
  metadata: { name, namespace: "shop", uid: `uid-${name}`, generation, resourceVersion: "2", ...more },
  spec: {},
});

interface Stream extends ApplicationWatch {
  end(error?: KubeError): void;
}

/** An API server of lists and streams that the test plays. */
function play(lists: (object[] | KubeError)[]) {
  const asked = new EventEmitter();
  const streams: Stream[] = [];
  const kube = {
    async listApplications() {
      const items = lists.length > 1 ? lists.shift() : lists[0];
      asked.emit("list");
      if (items instanceof KubeError) throw items;
      return { items: items ?? [], resourceVersion: "10" };
    },
    watchApplications: (watch: ApplicationWatch) =>
      new Promise<void>((resolve, reject) => {
        watch.signal.addEventListener("abort", () => resolve());
        streams.push({ ...watch, end: (error) => (error === undefined ? resolve() : reject(error)) });
        asked.emit("watch", streams.at(-1));
      }),
  };
  return { kube, asked, streams, stream: async () => (await once(asked, "watch"))[0] as Stream };
}

function follow(t: Pick<TestContext, "after">, { kube }: ReturnType<typeof play>, relistMs = 60_000, namespaces = ["shop"]) {
  const ups: string[] = [];
  const onUp = (namespace: string | undefined, up: boolean) => void ups.push(`${namespace} ${up}`);
  const applications = createApplications({ kube, namespaces, log: createLog({ level: "silent" }), relistMs, onUp });
  const changes: string[] = [];
  applications.onChange((key) => changes.push(key));
  const stop = new AbortController();
  const done = applications.follow(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
  });
  return { applications, changes, ups, names: () => applications.all().map(({ name }) => name) };
}

test("what is listed and what changes is told; a change of the status alone is not", async (t) => {
  const api = play([[object("a")]]);
  const stream = api.stream();
  const { applications, changes, names } = follow(t, api);
  assert.equal(applications.view, "pending");
  const { onEvent, from } = await stream;
  assert.equal(applications.view, "complete");
  assert.equal(from, "10");
  onEvent("ADDED", object("b"));
  onEvent("MODIFIED", object("b"));
  onEvent("MODIFIED", object("b", {}, 2));
  onEvent("DELETED", object("a"));
  onEvent("MODIFIED", object("b", { deletionTimestamp: "2030-01-01T00:00:00Z" }, 2));
  assert.deepEqual(changes, ["shop/a", "shop/b", "shop/b", "shop/a", "shop/b"]);
  assert.deepEqual(names(), ["b"]);
});

test("a stream that ends is taken up where it was, also after a bookmark", async (t) => {
  const api = play([[]]);
  let next = api.stream();
  follow(t, api);
  const first = await next;
  next = api.stream();
  first.onEvent("BOOKMARK", { metadata: { resourceVersion: "42" } });
  first.end();
  assert.equal((await next).from, "42");
});

test("after a break, and when the past is forgotten, it is listed anew: what is gone is gone", async (t) => {
  for (const error of [new KubeError(0, "reset"), new KubeError(410, "gone")]) {
    const api = play([[object("a"), object("b")], [object("b")]]);
    let next = api.stream();
    const { names, changes } = follow(t, api);
    const first = await next;
    next = api.stream();
    first.end(error);
    await next;
    assert.deepEqual(names(), ["b"]);
    assert.deepEqual(changes, ["shop/a", "shop/b", "shop/a"]);
  }
});

test("an ERROR within the stream ends it", async (t) => {
  const api = play([[object("a")], []]);
  let next = api.stream();
  const { names } = follow(t, api);
  const first = await next;
  next = api.stream();
  first.onEvent("ERROR", { kind: "Status", code: 410 });
  await next;
  assert.deepEqual(names(), []);
});

test("nothing is settled until the list has come, and a failure is tried again", async (t) => {
  const api = play([new KubeError(500, "no"), new KubeError(0, "no answer"), [object("a")]]);
  const next = api.stream();
  const { applications, names, ups } = follow(t, api);
  assert.ok(applications.awaits("shop"));
  await next;
  await applications.settled;
  assert.deepEqual([names(), applications.view, applications.awaits("shop")], [["a"], "complete", false]);
  assert.deepEqual(ups, ["shop false", "shop false", "shop true"]);
});

test("a namespace that is refused does not hold up the others, and is told of when it can be listed at last", async (t) => {
  const api = play([new KubeError(403, "no"), [object("a")], new KubeError(404, "no"), []]);
  const [first, second] = [api.stream(), api.stream()];
  const { applications, changes, names } = follow(t, api, 60_000, ["gone", "shop"]);
  await applications.settled;
  await first;
  assert.deepEqual([names(), applications.view], [["a"], "partial"]);
  assert.deepEqual(["gone", "shop", "other"].map(applications.awaits), [true, false, false]);
  await second;
  while (applications.view === "partial") await once(api.asked, "watch");
  assert.deepEqual([applications.view, changes], ["complete", ["shop/a", "gone/"]]);
});

test("it is listed again after a while, although the stream is silent", async (t) => {
  const api = play([[object("a")], [object("b")]]);
  let next = api.stream();
  const begun = performance.now();
  const { names } = follow(t, api, 1);
  const first = await next;
  next = api.stream();
  while (performance.now() < begun + 2);
  first.end();
  await next;
  assert.deepEqual(names(), ["b"]);
});
