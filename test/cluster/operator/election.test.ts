// Operators in processes of their own, on a real API server: one leads, the other takes over.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, type TestContext, test } from "node:test";
import { type Running, startXlvein } from "../../cli/bin.ts";
import { find, render } from "../../helm/chart.ts";
import { AGGREGATE, condition, type Ground, prepareGround, SERVERS, until } from "./ground.ts";

const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${SERVERS}/leases/xlvein-operator`;
const ends: (() => unknown)[] = [];
const suite = { after: (end: () => unknown) => void ends.unshift(end) };
let ground: Ground;
/** As the chart sets them. */
let nodeOptions: string;
let count = 0;

before(async () => {
  ground = await prepareGround(suite);
  const { spec } = find(await render({ values: { operator: { enabled: true } } }), "Deployment", "xlvein-operator")["spec"].template;
  nodeOptions = spec.containers[0].env.find(({ name }: { name: string }) => name === "NODE_OPTIONS").value;
});
after(async () => {
  for (const end of ends) await end();
});

beforeEach(async () => {
  // Whoever held it in the test before is dead; nobody waits for that.
  await ground.plane.api.call("DELETE", LEASE);
});

interface OperatorProcess extends Running {
  readonly pod: string;
  readonly url: string;
}

async function startOperator(t: Pick<TestContext, "after">): Promise<OperatorProcess> {
  const pod = `operator-${++count}`;
  const args = [
    "operator",
    ...["--server=xlvein", `--applications-secret=${AGGREGATE}`, "--server-service=xlvein-admin", "--server-port=8091"],
    ...["--watch-namespaces=shop,other", "--connect-url=wss://push.example.com/ws/connect", "--push-url=http://xlvein.push.svc:8090"],
    ...["--leader-election-lease=xlvein-operator", "--lease-duration-seconds=15", "--renew-deadline-seconds=10", "--retry-period-seconds=2"],
    ...["--internal-host=127.0.0.1", "--internal-port=0"],
  ];
  const running = startXlvein(t, args, { env: { KUBECONFIG: ground.kubeconfig, POD_NAME: pod, POD_NAMESPACE: SERVERS, NODE_OPTIONS: nodeOptions } });
  const { internal_url: url } = JSON.parse(await running.line(/"event":"listening"/)) as { internal_url: string };
  await until(
    async () => (await fetch(`${url}/readyz`)).status,
    (status) => status === 200,
  );
  return { ...running, pod, url };
}

async function metricsOf({ url }: OperatorProcess): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

async function isLeading(operator: OperatorProcess): Promise<boolean> {
  return /^xlvein_operator_leader 1$/m.test(await metricsOf(operator));
}

const leads = (operator: OperatorProcess, patienceMs?: number) => until(() => isLeading(operator), Boolean, patienceMs);

/** How long, in seconds, until the other one leads and works. */
async function takeover(operator: OperatorProcess, name: string): Promise<number> {
  const begun = performance.now();
  await ground.apply(name);
  await leads(operator, 30_000);
  const took = (performance.now() - begun) / 1_000;
  await until(
    () => ground.secret(`${name}-xlvein`),
    (secret) => secret !== undefined,
  );
  return took;
}

test("one of two leads, both are ready, and neither takes more than 200 MiB with a hundred applications", async (t) => {
  const first = await startOperator(t);
  await leads(first);
  const second = await startOperator(t);
  await ground.apply("one");
  await until(
    () => ground.application("one"),
    (app) => condition(app) === "False/ServersUnreachable",
  );
  assert.deepEqual(await Promise.all([isLeading(first), isLeading(second)]), [true, false]);
  assert.match(await (await fetch(`${second.url}/readyz?verbose`)).text(), /\[-\]leader: another operator leads \(does not gate\)/);
  const names = Array.from({ length: 100 }, (_, i) => `many-${i}`);
  await Promise.all(names.map((name) => ground.apply(name)));
  await until(
    async () => ((await metricsOf(first)).match(/^xlvein_operator_application_ready\{/gm) ?? []).length,
    (known) => known > names.length,
  );
  for (const { child } of [first, second]) {
    const mebibytes = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1_024;
    t.diagnostic(`${mebibytes.toFixed(0)} MiB`);
    assert.ok(mebibytes < 200, `${mebibytes} MiB`);
  }
});

test("after SIGTERM the next one leads within 3 s", async (t) => {
  const first = await startOperator(t);
  await leads(first);
  const second = await startOperator(t);
  first.child.kill("SIGTERM");
  const took = await takeover(second, "two");
  t.diagnostic(`${took.toFixed(1)} s`);
  assert.ok(took <= 3, `${took} s`);
  assert.deepEqual(await first.ended, { code: 0, signal: null });
  const { spec } = await ground.plane.api.get<{ metadata: { name: string }; spec: { holderIdentity: string } }>(LEASE);
  assert.equal(spec.holderIdentity, second.pod);
});

test("after SIGKILL the next one leads within 17 s", async (t) => {
  const first = await startOperator(t);
  await leads(first);
  const second = await startOperator(t);
  first.child.kill("SIGKILL");
  const took = await takeover(second, "three");
  t.diagnostic(`${took.toFixed(1)} s`);
  assert.ok(took > 9 && took <= 17, `${took} s`);
});

test("one that was frozen while another took over does not write again", async (t) => {
  const first = await startOperator(t);
  await leads(first);
  const second = await startOperator(t);
  first.child.kill("SIGSTOP");
  await takeover(second, "four");
  first.child.kill("SIGCONT");
  await first.line(/"event":"no longer leading"/);
  assert.equal(await isLeading(first), false);
  assert.equal(await isLeading(second), true);
  const written = first.printed.stdout.match(/"event":"applications written"/g)?.length;
  await ground.apply("five");
  await until(
    () => ground.secret("five-xlvein"),
    (secret) => secret !== undefined,
  );
  assert.equal(first.printed.stdout.match(/"event":"applications written"/g)?.length, written);
});
