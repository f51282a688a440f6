// Every example of values is accepted by the oldest and the newest Kubernetes, and rendered the same each time.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { CHART, chartFile, each, examples, find, helm, render, template, VERSIONS } from "./chart.ts";

const pairs = examples.flatMap((ci) => VERSIONS.map((kube) => ({ ci, kube })));

describe("every example", () => {
  it("is linted without a finding", async () => {
    assert.ok(examples.length >= 10, `only ${examples.length} examples`);
    const faults = await each(pairs, async ({ ci, kube }) => {
      const { code, stdout, stderr } = await helm("lint", "--strict", CHART, "--kube-version", kube, "-f", join(CHART, "ci", `${ci}-values.yaml`));
      const found = `${stdout}${stderr}`.split("\n").filter((line) => /\[(WARNING|ERROR)\]|cannot be installed/.test(line));
      return code === 0 && found.length === 0 ? "" : `${ci} on ${kube}: ${stdout}${stderr}`;
    });
    assert.deepEqual(
      faults.filter((fault) => fault !== ""),
      [],
    );
  });

  it("is rendered byte by byte the same twice: nothing random, nothing of the time", async () => {
    await each(pairs, async ({ ci, kube }) => {
      const [first, second] = [await template({ ci, kube }), await template({ ci, kube })];
      assert.equal(first.code, 0, first.stderr);
      assert.ok(first.stdout.includes("kind: Deployment"));
      assert.equal(first.stdout, second.stdout, `${ci} on ${kube}`);
    });
  });

  it("says at its head what it shows", () => {
    for (const ci of examples) assert.match(chartFile(`ci/${ci}-values.yaml`), /^# [A-Z].*\.\n/);
  });
});

describe("an upgrade", () => {
  const application = { appKey: "shop", appSecret: "0123456789abcdef0123456789abcdef" };
  const podOf = async (values: object) => find(await render({ values }), "Deployment", "xlvein")["spec"].template;

  it("that changes applications leaves the pods alone, and changes their Secret", async () => {
    const [before, after] = [
      { applications: [application] },
      {
        applications: [
          { ...application, enabled: false },
          { ...application, appKey: "new" },
        ],
      },
    ];
    assert.deepEqual(await podOf(before), await podOf(after));
    const dataOf = async (values: object) => find(await render({ values }), "Secret", "xlvein-applications")["data"]["applications.json"];
    assert.notEqual(await dataOf(before), await dataOf(after));
  });

  it("that changes the configuration restarts the pods", async () => {
    const [before, after] = [await podOf({}), await podOf({ server: { limits: { connections: 100 } } })];
    assert.notEqual(before.metadata.annotations["checksum/config"], after.metadata.annotations["checksum/config"]);
  });

  it("that changes the chart's version alone leaves the pods alone", async () => {
    const version = String((parse(chartFile("Chart.yaml")) as { version: string }).version);
    assert.ok(!JSON.stringify((await podOf({})).metadata).includes(version));
  });
});

describe("the number of servers", () => {
  it("is left to the scaler where there is one", async () => {
    const exchange = { type: "redis" };
    const replicas = async (values: object) => find(await render({ values }), "Deployment", "xlvein")["spec"].replicas;
    assert.equal(await replicas({ exchange, replicaCount: 3 }), 3);
    assert.equal(await replicas({ exchange, autoscaling: { enabled: true } }), undefined);
    assert.equal(await replicas({ exchange, keda: { enabled: true } }), undefined);
  });

  it("of operators decides how they are spread and replaced", async () => {
    const spec = async (operator: object) =>
      find(await render({ values: { operator: { enabled: true, ...operator } } }), "Deployment", "xlvein-operator")["spec"];
    const [one, two, alone] = [await spec({}), await spec({ replicas: 2 }), await spec({ leaderElection: { enabled: false } })];
    assert.deepEqual([one.strategy, one.template.spec.topologySpreadConstraints], [undefined, undefined]);
    assert.deepEqual(
      two.template.spec.topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey),
      ["kubernetes.io/hostname", "topology.kubernetes.io/zone"],
    );
    assert.deepEqual(alone.strategy, { type: "Recreate" });
  });

  it("decides whether there is a disruption budget", async () => {
    const budgets = async (values: object) => (await render({ values })).filter(({ kind }) => kind === "PodDisruptionBudget").map((budget) => budget["spec"]);
    assert.deepEqual(await budgets({}), []);
    const [budget] = await budgets({ exchange: { type: "redis" }, replicaCount: 2 });
    assert.deepEqual([budget.maxUnavailable, budget.unhealthyPodEvictionPolicy], [1, "AlwaysAllow"]);
    assert.equal((await budgets({ exchange: { type: "redis" }, autoscaling: { enabled: true, minReplicas: 1 } })).length, 0);
  });
});

describe("stopping", () => {
  const stop = async (values: object, kube?: string) => {
    const { spec } = find(await render({ values, ...(kube === undefined ? {} : { kube }) }), "Deployment", "xlvein")["spec"].template;
    return { grace: spec.terminationGracePeriodSeconds, lifecycle: spec.containers[0].lifecycle?.preStop, deadline: spec.progressDeadlineSeconds };
  };

  it("has time for the pre-stop wait, the drain and ten seconds more", async () => {
    assert.deepEqual((await stop({})).grace, 45);
    assert.deepEqual((await stop({ drain: { preStopSeconds: 120, windowSeconds: 60 } })).grace, 190);
    assert.deepEqual((await stop({ drain: { windowSeconds: 0.5 } })).grace, 16);
    assert.deepEqual((await stop({ terminationGracePeriodSeconds: 300 })).grace, 300);
  });

  it("waits by the kubelet's own action, and where there is none by the server's Node", async () => {
    assert.deepEqual((await stop({})).lifecycle, { sleep: { seconds: 5 } });
    assert.deepEqual((await stop({}, "1.29.9")).lifecycle, { exec: { command: ["node", "-e", "setTimeout(() => {}, 5000)"] } });
    assert.equal((await stop({ drain: { preStopSeconds: 0 } })).lifecycle, undefined);
  });

  it("of a whole rollout is given the time it takes", async () => {
    const deadline = async (values: object) => find(await render({ values }), "Deployment", "xlvein")["spec"].progressDeadlineSeconds;
    assert.equal(await deadline({}), 600);
    assert.equal(await deadline({ exchange: { type: "redis" }, replicaCount: 20, drain: { windowSeconds: 60 } }), 20 * (75 + 10) + 120);
  });
});

describe("the heap", () => {
  it("is a share of the memory limit, whatever its unit", async () => {
    const options = async (memory: string) => {
      const { env } = find(await render({ values: { resources: { limits: { memory } } } }), "Deployment", "xlvein")["spec"].template.spec.containers[0];
      return (env as { name: string; value: string }[]).find(({ name }) => name === "NODE_OPTIONS")?.value;
    };
    assert.equal(await options("512Mi"), "--max-old-space-size=358");
    assert.equal(await options("1Gi"), "--max-old-space-size=716");
    assert.equal(await options("1G"), "--max-old-space-size=667");
    assert.equal(await options("536870912"), "--max-old-space-size=358");
    await assert.rejects(options("lots"), /lots/);
  });
});
