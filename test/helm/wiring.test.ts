// What refers to something else in the chart refers to something that is there: selectors, ports, names, Secrets, policies.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { containers, each, examples, find, type KubeObject, render, selects, workloads } from "./chart.ts";

const rendered = await each(examples, async (ci) => ({ ci, objects: await render({ ci }) }));
const all = rendered.flatMap(({ ci, objects }) => objects.map((object) => ({ ci, objects, object, title: `${ci}: ${object.kind} ${object.metadata.name}` })));
const ofKind = (...kinds: string[]) => all.filter(({ object }) => kinds.includes(object.kind));

interface Port {
  readonly name?: string;
  readonly containerPort?: number;
  readonly port?: number;
  readonly targetPort?: number | string;
}

describe("selectors", () => {
  it("of workloads fit their own pods, and those of no other", () => {
    for (const { object, objects, title } of ofKind("Deployment", "StatefulSet")) {
      const selector = object["spec"].selector.matchLabels;
      const fits = workloads(objects).filter(({ labels }) => selects(selector, labels));
      assert.deepEqual(
        fits.map((pod) => `${pod.object.kind} ${pod.object.metadata.name}`),
        [`${object.kind} ${object.metadata.name}`],
        title,
      );
    }
  });

  it("of Services, policies and budgets fit the pods of exactly one workload", () => {
    const selectors = [
      ...ofKind("Service").map(({ object, ...rest }) => ({ ...rest, selector: object["spec"].selector })),
      ...ofKind("NetworkPolicy").map(({ object, ...rest }) => ({ ...rest, selector: object["spec"].podSelector.matchLabels })),
      ...ofKind("PodDisruptionBudget").map(({ object, ...rest }) => ({ ...rest, selector: object["spec"].selector.matchLabels })),
    ];
    assert.ok(selectors.length > 40);
    for (const { selector, objects, title } of selectors) assert.equal(workloads(objects).filter(({ labels }) => selects(selector, labels)).length, 1, title);
  });

  it("of spreads fit the pods they spread", () => {
    for (const { object, title } of ofKind("Deployment"))
      for (const { labelSelector } of object["spec"].template.spec.topologySpreadConstraints ?? [])
        assert.ok(selects(labelSelector.matchLabels, object["spec"].template.metadata.labels), title);
  });

  it("of monitors fit a Service or pod with that port, whose job label the alerts know", async () => {
    const monitors = ofKind("ServiceMonitor");
    assert.ok(monitors.length >= 3);
    for (const { object, objects, title } of monitors) {
      const { selector, endpoints, jobLabel } = object["spec"];
      const services = objects.filter(
        ({ kind, metadata }) => kind === "Service" && selects(selector.matchLabels, metadata.labels ?? {}) && metadata.labels?.[jobLabel] !== undefined,
      );
      assert.equal(services.length, 1, title);
      assert.ok(
        services[0]?.["spec"].ports.some((port: Port) => port.name === endpoints[0].port),
        title,
      );
      assert.equal(services[0]?.metadata.labels?.[jobLabel], object.metadata.name, title);
    }
    const more = await render({ ci: "operator", values: { metrics: { serviceMonitor: { enabled: false }, podMonitor: { enabled: true } } } });
    const podMonitors = [...ofKind("PodMonitor"), ...more.map((object) => ({ object, objects: more, title: object.metadata.name }))].filter(
      ({ object }) => object.kind === "PodMonitor",
    );
    assert.equal(podMonitors.length, 3);
    for (const { object, objects, title } of podMonitors) {
      const pods = workloads(objects).filter(({ labels }) => selects(object["spec"].selector.matchLabels, labels));
      assert.deepEqual(
        pods.map(({ labels }) => labels[object["spec"].jobLabel]),
        [object.metadata.name],
        title,
      );
      assert.ok(
        pods[0]?.spec.containers[0].ports.some((port: Port) => port.name === object["spec"].podMetricsEndpoints[0].port),
        title,
      );
    }
  });
});

describe("ports", () => {
  it("of Services lead to ports of the pods behind them", () => {
    for (const { object, objects, title } of ofKind("Service"))
      for (const port of object["spec"].ports as Port[]) {
        const [pod] = workloads(objects).filter(({ labels }) => selects(object["spec"].selector, labels));
        assert.ok(
          pod?.spec.containers.some((container: { ports: Port[] }) => container.ports.some(({ name }) => name === port.targetPort)),
          `${title} ${port.name}`,
        );
      }
  });

  it("of probes are ports of the container", () => {
    for (const { ci, objects } of rendered)
      for (const pod of workloads(objects))
        for (const container of containers(pod))
          for (const kind of ["startupProbe", "livenessProbe", "readinessProbe"]) {
            const port = container[kind]?.httpGet?.port ?? container[kind]?.tcpSocket?.port;
            if (port !== undefined)
              assert.ok(
                container.ports.some(({ name }: Port) => name === port),
                `${ci}: ${pod.title} ${kind}`,
              );
          }
  });

  it("of policies are ports of the pods that they admit to", () => {
    for (const { object, objects, title } of ofKind("NetworkPolicy").filter(({ ci }) => ci !== "locked-down")) {
      const [pod] = workloads(objects).filter(({ labels }) => selects(object["spec"].podSelector.matchLabels, labels));
      const open = (object["spec"].ingress ?? []).flatMap((rule: { ports: Port[] }) => rule.ports.map(({ port }) => port));
      const offered = pod?.spec.containers.flatMap((container: { ports?: Port[] }) => (container.ports ?? []).map(({ containerPort }) => containerPort));
      assert.deepEqual(
        open.filter((port: number) => !offered.includes(port)),
        [],
        title,
      );
    }
  });

  it("follow the values", async () => {
    const objects = await render({ values: { server: { ports: { http: 9000, internal: 9001 } }, keda: { enabled: true }, exchange: { type: "redis" } } });
    const [pod] = workloads(objects).filter(({ object }) => object.kind === "Deployment");
    assert.deepEqual(
      pod?.spec.containers[0].ports.map(({ containerPort }: Port) => containerPort),
      [9000, 9001],
    );
    assert.equal(find(objects, "Service", "xlvein-admin")["spec"].ports[0].port, 9001);
    assert.match(find(objects, "ScaledObject")["spec"].triggers[0].metadata.url, /^http:\/\/xlvein-admin\.push\.svc\.cluster\.local:9001\/-\/stats$/);
    assert.match(JSON.stringify(find(objects, "Pod")["spec"]), /xlvein-admin\.push\.svc:9001/);
  });
});

describe("network policies", () => {
  it("cover every pod, both ways", () => {
    for (const { ci, objects } of rendered)
      for (const pod of workloads(objects)) {
        const policies = objects.filter(({ kind, ...policy }) => kind === "NetworkPolicy" && selects(policy["spec"].podSelector.matchLabels, pod.labels));
        assert.equal(policies.length, 1, `${ci}: ${pod.title}`);
        assert.deepEqual(policies[0]?.["spec"].policyTypes, ["Ingress", "Egress"]);
      }
  });

  it("admit to the brokers the servers alone, and let the servers out to them", () => {
    const objects = rendered.find(({ ci }) => ci === "rabbitmq-embedded")?.objects ?? [];
    const [server] = workloads(objects).filter(({ labels }) => labels["app.kubernetes.io/component"] === "server");
    for (const [name, port] of [
      ["xlvein-redis", 6379],
      ["xlvein-rabbitmq", 5672],
    ] as const) {
      const rules = find(objects, "NetworkPolicy", name)["spec"].ingress.filter((rule: { ports: Port[] }) => rule.ports.some((each) => each.port === port));
      assert.equal(rules.length, 1);
      assert.deepEqual(
        workloads(objects)
          .filter(({ labels }) => selects(rules[0].from[0].podSelector.matchLabels, labels))
          .map(({ title }) => title),
        ["Deployment xlvein"],
      );
      const out = find(objects, "NetworkPolicy", "xlvein")["spec"].egress.filter((rule: { ports: Port[] }) => rule.ports.some((each) => each.port === port));
      const broker = workloads(objects).find(({ title }) => title === `StatefulSet ${name}`);
      assert.ok(selects(out[0].to[0].podSelector.matchLabels, broker?.labels ?? {}), name);
    }
    assert.ok(server);
  });

  it("open the internal port to monitoring, to the test, and to KEDA and the operator where they are used", async () => {
    const admitted = async (values: object) => {
      const objects = await render({ values: { exchange: { type: "redis" }, ...values } });
      const rule = find(objects, "NetworkPolicy", "xlvein")["spec"].ingress[1];
      assert.equal(rule.ports[0].port, 8091);
      return rule.from.map((peer: { namespaceSelector?: { matchLabels: object }; podSelector?: { matchLabels: Record<string, string> } }) =>
        peer.namespaceSelector ? Object.values(peer.namespaceSelector.matchLabels)[0] : peer.podSelector?.matchLabels["app.kubernetes.io/component"],
      );
    };
    assert.deepEqual(await admitted({}), ["monitoring", "test"]);
    assert.deepEqual(await admitted({ networkPolicy: { clientsFrom: [{ podSelector: {} }] } }), ["monitoring", "test"]);
    assert.deepEqual(await admitted({ keda: { enabled: true }, operator: { enabled: true }, tests: { enabled: false } }), ["monitoring", "keda", "operator"]);
    // There it asks Prometheus, which is monitoring.
    const prometheus = { enabled: true, source: "prometheus", prometheus: { serverAddress: "http://prometheus:9090" } };
    assert.deepEqual(await admitted({ keda: prometheus }), ["monitoring", "test"]);
  });

  it("admit the test's pod to the clients' port also where clients are named, and let it out to no other", async () => {
    const objects = await render({ values: { networkPolicy: { clientsFrom: [{ namespaceSelector: {} }] } } });
    const [test] = workloads(objects).filter(({ labels }) => labels["app.kubernetes.io/component"] === "test");
    const { from } = find(objects, "NetworkPolicy", "xlvein")["spec"].ingress[0] as { from: { podSelector?: { matchLabels: Record<string, string> } }[] };
    assert.equal(from.filter(({ podSelector }) => selects(podSelector?.matchLabels ?? {}, test?.labels ?? {})).length, 1);
    const { ingress, egress } = find(objects, "NetworkPolicy", "xlvein-test")["spec"];
    assert.deepEqual([ingress, egress[1].ports.map(({ port }: Port) => port)], [[], [8090, 8091]]);
    // Whoever is admitted by default is everyone, the test as well.
    assert.equal(find(await render(), "NetworkPolicy", "xlvein")["spec"].ingress[0].from, undefined);
  });

  it("let every pod ask for names, on the ports that the cluster's DNS has", async () => {
    const objects = await render({ ci: "operator", values: { networkPolicy: { dnsPorts: [54] } } });
    const askers = objects.filter(({ kind, ...policy }) => kind === "NetworkPolicy" && policy["spec"].egress.length > 0);
    assert.deepEqual(askers.map(({ metadata }) => metadata.name).sort(), ["xlvein", "xlvein-bootstrap", "xlvein-operator", "xlvein-test"]);
    for (const policy of askers)
      assert.deepEqual(policy["spec"].egress[0].ports, [
        { port: 54, protocol: "UDP" },
        { port: 54, protocol: "TCP" },
      ]);
  });

  it("let the servers out to the port that a broker's address names, whatever it is", async () => {
    const ports = async (values: object) => {
      const { egress } = find(await render({ values }), "NetworkPolicy", "xlvein")["spec"] as { egress: { ports: Port[]; to?: object[] }[] };
      return egress.find(({ ports: [first], to }) => to === undefined && first?.port === 1111)?.ports.map(({ port }) => port);
    };
    const networkPolicy = { brokerPorts: [1111, 6379] };
    const redis = async (settings: object) => ports({ networkPolicy, exchange: { type: "redis" }, redis: settings });
    assert.deepEqual(await redis({ mode: "external", url: "redis://[fd00::1]:16379/0" }), [1111, 6379, 16379]);
    assert.deepEqual(await redis({ mode: "external", url: "redis://cache" }), [1111, 6379]);
    assert.deepEqual(await redis({ mode: "sentinel", sentinel: { nodes: ["a:26380", "b:26380", "c:26381"] } }), [1111, 6379, 26380, 26381]);
    assert.deepEqual(await redis({ mode: "cluster", cluster: { nodes: ["a:7001"] } }), [1111, 6379, 7001]);
    const rabbitmq = { mode: "external", url: "amqp://a:5673,b:5674/push" };
    assert.deepEqual(await ports({ networkPolicy, exchange: { type: "rabbitmq" }, rabbitmq }), [1111, 6379, 5673, 5674]);
    assert.deepEqual(await redis({ mode: "embedded", url: "redis://unused:1/0" }), undefined);
  });

  it("let balancers ask for a pod's health where they do", async () => {
    const port = async (values: object, name: string) => {
      const objects = await render({ values });
      const policy = find(objects, "NetworkPolicy", "xlvein")["spec"].ingress as { ports: Port[]; from?: { ipBlock?: { cidr: string } }[] }[];
      const open = policy
        .filter(({ from }) => from === undefined || from.some(({ ipBlock }) => ipBlock?.cidr === "35.191.0.0/16"))
        .flatMap(({ ports }) => ports.map((each) => each.port));
      const asked = JSON.stringify(find(objects, name)).match(/"port":(80\d\d),"requestPath":"\/readyz"/)?.[1];
      return { open, asked: asked === undefined ? undefined : Number(asked) };
    };
    assert.deepEqual(await port({ ingress: { enabled: true, preset: "gce" } }, "BackendConfig"), { open: [8090, 8091], asked: 8091 });
    const httpRoute = { enabled: true, parentRefs: [{ name: "g" }], policyPreset: "gke" };
    assert.deepEqual(await port({ httpRoute }, "HealthCheckPolicy"), { open: [8090, 8091], asked: 8091 });
    // Elsewhere they ask the clients' port.
    assert.deepEqual((await port({ ingress: { enabled: true, preset: "alb" } }, "Ingress")).open, [8090]);
  });

  it("can be left out", async () => {
    assert.ok(!(await render({ ci: "rabbitmq-embedded", values: { networkPolicy: { enabled: false } } })).some(({ kind }) => kind === "NetworkPolicy"));
  });
});

describe("names", () => {
  it("are names, also after a long release name", async () => {
    const long = await render({ ci: "operator", release: "a-release-with-a-name-as-long-as-helm-lets-it-be-abcd", namespace: "n".repeat(40) });
    const objects = [
      ...all.map(({ object }) => object),
      ...long,
      ...(await render({ ci: "rabbitmq-embedded", release: "a-release-with-a-name-as-long-as-helm-lets-it-be-abcd" })),
    ];
    for (const { kind, metadata } of objects) {
      const most = /^(ConfigMap|Secret|.*Role.*|ValidatingAdmissionPolicy.*|CustomResourceDefinition)$/.test(kind) ? 253 : kind === "StatefulSet" ? 52 : 63;
      assert.match(metadata.name, /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, kind);
      assert.ok(metadata.name.length <= most, `${kind} ${metadata.name}`);
      for (const [key, value] of Object.entries(metadata.labels ?? {})) assert.match(value, /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/, `${kind} ${key}`);
    }
  });

  it("are texts, also where YAML would take them for something else", async () => {
    const odd = await each(examples, (ci) => render({ ci, release: "123", namespace: "1e3", values: { fullnameOverride: "true", nameOverride: "0" } }));
    const wrong: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value === "object" && value !== null) for (const [key, child] of Object.entries(value)) walk(child, `${path}.${key}`);
      else if (typeof value !== "string" && /\.(l|matchL|podL)abels\.|\.(name|namespace|\w+Name|matchNames\.\d+|resourceNames\.\d+)$/.test(path))
        wrong.push(`${path}: ${value}`);
    };
    for (const object of odd.flat()) walk(object, object.kind);
    assert.deepEqual(wrong, []);
  });

  it("are there once", () => {
    for (const { ci, objects } of rendered) {
      const titles = objects.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.namespace, metadata.name].join(" "));
      assert.deepEqual(
        titles.filter((title, i) => titles.indexOf(title) < i),
        [],
        ci,
      );
    }
  });

  it("have a namespace where the kind has namespaces, and the labels of the release", () => {
    for (const { object, title } of all.filter(({ object }) => !/extra$|more$/.test(object.metadata.name))) {
      const clusterWide = /^(CustomResourceDefinition|Cluster|ValidatingAdmission)/.test(object.kind);
      assert.equal(object.metadata.namespace === undefined, clusterWide, title);
      const labels = object.metadata.labels ?? {};
      for (const key of [
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/component",
        "app.kubernetes.io/managed-by",
        "helm.sh/chart",
      ])
        assert.ok(labels[key], `${title} ${key}`);
    }
  });
});

describe("references", () => {
  const made = new Set(["xlvein-redis", "xlvein-rabbitmq", "xlvein-default-application", "xlvein-operator-applications", "xlvein-rabbitmq-default-user"]);
  const given = new Set([
    "redis-password",
    "redis-certificates",
    "push-applications",
    "redis-cluster",
    "push-tls",
    "redis-url",
    "pull",
    "proxy",
    "kube-root-ca.crt",
    "push-authority",
  ]);

  it("to ConfigMaps, Secrets and service accounts lead to what is there, is made, or was named in the values", () => {
    for (const { ci, objects } of rendered) {
      const there = new Set(objects.filter(({ kind }) => /^(ConfigMap|Secret|ServiceAccount)$/.test(kind)).map(({ metadata }) => metadata.name));
      for (const pod of workloads(objects)) {
        const account = pod.spec.serviceAccountName;
        if (account !== undefined) assert.ok(there.has(account) || ci === "locked-down", `${ci}: ${pod.title} ${account}`);
        for (const name of referred(pod.spec)) assert.ok(there.has(name) || made.has(name) || given.has(name), `${ci}: ${pod.title} refers to ${name}`);
      }
    }
  });

  it("to the Secret with the applications mount every form of them that servers read, and nothing else of it", () => {
    for (const { ci, objects } of rendered) {
      const pod = workloads(objects).find(({ labels }) => labels["app.kubernetes.io/component"] === "server");
      const { secret } = pod?.spec.volumes.find(({ name }: { name: string }) => name === "applications") ?? {};
      assert.ok(secret?.optional, ci);
      const items = secret.items.map(({ key, path }: { key: string; path: string }) => (key === path ? key : assert.fail(path)));
      assert.deepEqual(items, ["applications.json", "applications.yaml", "applications.json.gz"], ci);
    }
  });

  it("to volumes lead to volumes, and every volume is mounted", () => {
    for (const { ci, objects } of rendered)
      for (const pod of workloads(objects)) {
        const claims = (pod.object["spec"].volumeClaimTemplates ?? []) as KubeObject[];
        const volumes = [...(pod.spec.volumes ?? []).map(({ name }: { name: string }) => name), ...claims.map(({ metadata }) => metadata.name)];
        const mounted = containers(pod).flatMap((container) => (container.volumeMounts ?? []).map(({ name }: { name: string }) => name));
        assert.deepEqual([...new Set(mounted)].sort(), volumes.sort(), `${ci}: ${pod.title}`);
      }
  });

  it("of scalers to their figures are errors when they fail, which take no server away", async () => {
    const keda = { enabled: true, source: "prometheus", prometheus: { serverAddress: "http://prometheus:9090" } };
    const { fallback, triggers } = find(await render({ values: { exchange: { type: "redis" }, keda } }), "ScaledObject")["spec"];
    assert.deepEqual(fallback, { failureThreshold: 3, replicas: 4, behavior: "currentReplicasIfHigher" });
    assert.equal(triggers[0].metadata.ignoreNullValues, "false");
  });

  it("of scalers, routes and Ingresses lead to the server", () => {
    for (const { object, title } of ofKind("HorizontalPodAutoscaler", "ScaledObject"))
      assert.deepEqual(object["spec"].scaleTargetRef, { apiVersion: "apps/v1", kind: "Deployment", name: "xlvein" }, title);
    for (const { object, title } of ofKind("HTTPRoute")) assert.deepEqual(object["spec"].rules[0].backendRefs, [{ name: "xlvein", port: 80 }], title);
    for (const { object, objects, title } of ofKind("Ingress"))
      for (const { http } of object["spec"].rules)
        for (const { backend } of http.paths)
          assert.ok(
            find(objects, "Service", backend.service.name)["spec"].ports.some(({ name }: Port) => name === backend.service.port.name),
            title,
          );
  });
});

/** The ConfigMaps and Secrets that a pod names. */
function referred(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    if (/^(secretKeyRef|configMapKeyRef|configMapRef|secretRef|configMap|secret)$/.test(key))
      return [child.name ?? child.secretName].filter((name) => name !== undefined);
    if (key === "imagePullSecrets") return child.map(({ name }: { name: string }) => name);
    return referred(child);
  });
}
