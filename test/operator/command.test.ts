// `xlvein operator` and `xlvein bootstrap-secrets`: what the chart passes, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgram, run } from "../../server/src/cli/main.ts";
import { containers, find, render, workloads } from "../helm/chart.ts";

const io = (env: Record<string, string> = {}) => {
  const said: string[] = [];
  return {
    said,
    env: { HOME: "/nonexistent", ...env },
    cwd: "/",
    terminal: false,
    out: (text: string) => void said.push(text),
    err: (text: string) => void said.push(text),
  };
};
const URLS = ["--connect-url=ws://x/ws/connect", "--push-url=http://x"];

/** The options that a command reads out of arguments; throws where it refuses them. */
function parse(args: readonly string[]): Record<string, unknown> {
  const program = createProgram(io());
  const command = program.commands.find((each) => each.name() === args[0]) ?? assert.fail(`there is no command ${args[0]}`);
  command.action(() => undefined);
  program.parse(args, { from: "user" });
  return command.opts();
}

test("the operator takes every argument that the chart passes, and means the same by it", async () => {
  const values = { operator: { enabled: true, allowForeignAppKeys: true, watchNamespaces: ["a", "b"] }, server: { ports: { internal: 9001 } } };
  const [pod = assert.fail()] = workloads(await render({ values, release: "one" })).filter(
    ({ labels }) => labels["app.kubernetes.io/component"] === "operator",
  );
  const options = parse(containers(pod)[0].args);
  assert.deepEqual(options, {
    server: "one-xlvein",
    applicationsSecret: "one-xlvein-operator-applications",
    serverService: "one-xlvein-admin",
    serverPort: 9001,
    watchNamespaces: ["a", "b"],
    connectUrl: "ws://one-xlvein.push.svc:80/ws/connect",
    pushUrl: "http://one-xlvein.push.svc:80",
    allowForeignAppKeys: true,
    leaderElectionLease: "one-xlvein-operator",
    leaseDurationSeconds: 15,
    renewDeadlineSeconds: 10,
    retryPeriodSeconds: 2,
    internalHost: "0.0.0.0",
    internalPort: 9001,
    logLevel: "info",
  });
  assert.equal(parse(["operator", "--watch-namespaces=a,*"])["watchNamespaces"], "*");
});

test("the Job takes every argument that the chart passes", async () => {
  const objects = await render({ values: { exchange: { type: "rabbitmq" }, store: { type: "redis" } } });
  const job = find(objects, "Job");
  assert.deepEqual(parse(job["spec"].template.spec.containers[0].args), {
    namespace: "push",
    redis: "xlvein-redis",
    rabbitmq: "xlvein-rabbitmq",
    rabbitmqUsername: "xlvein",
    application: "xlvein-default-application",
    appKey: "default",
    connectUrl: "ws://xlvein.push.svc:80/ws/connect",
    pushUrl: "http://xlvein.push.svc:80",
    label: { "app.kubernetes.io/part-of": "xlvein", "app.kubernetes.io/instance": "xlvein" },
  });
});

test("wrong arguments are named", async () => {
  for (const [args, message] of [
    [["operator"], /--connect-url is needed/],
    [["operator", "--connect-url=x"], /Expected an address/],
    [["operator", "--watch-namespaces=A"], /Expected names of namespaces/],
    [["operator", "--internal-port=65536"], /Expected a port from 0 to 65535/],
    [
      ["operator", ...URLS, "--leader-election-lease=l", "--renew-deadline-seconds=15"],
      /--lease-duration-seconds \(15\) must be above --renew-deadline-seconds \(15\)/,
    ],
    [
      ["operator", ...URLS, "--leader-election-lease=l", "--retry-period-seconds=10"],
      /--renew-deadline-seconds \(10\) must be above --retry-period-seconds \(10\)/,
    ],
    [["bootstrap-secrets"], /name at least one of --redis, --rabbitmq, --application/],
    [["bootstrap-secrets", "--application=a"], /--connect-url is needed/],
    [["bootstrap-secrets", "--redis=a", "--label=x"], /Expected a key and a value/],
    [["bootstrap-secrets", "--redis=A_b"], /Expected a name/],
  ] as const) {
    const to = io();
    assert.equal(await run(args, to), 2, args.join(" "));
    assert.match(to.said.join("\n"), message);
  }
});
