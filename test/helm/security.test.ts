// What a platform team looks at: restricted pods, secrets in Secrets alone, tokens and rights only where they are needed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { containers, each, examples, find, type Json, type KubeObject, render, type Workload, workloads } from "./chart.ts";

const rendered = new Map((await each(examples, async (ci) => [ci, await render({ ci })] as const)).map((pair) => pair));

/** What the restricted Pod Security Standard has against a pod (kubernetes.io/docs/concepts/security/pod-security-standards). */
function violations({ title, spec, ...rest }: Workload): string[] {
  const found: string[] = [];
  const say = (what: string) => void found.push(`${title}: ${what}`);
  const pod = spec.securityContext ?? {};
  for (const field of ["hostNetwork", "hostPID", "hostIPC"]) if (spec[field]) say(field);
  for (const volume of spec.volumes ?? [])
    for (const kind of Object.keys(volume).filter((key) => key !== "name"))
      if (!["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"].includes(kind)) say(`volume ${kind}`);
  if ((pod.sysctls ?? []).length > 0) say("sysctls");
  for (const container of containers({ title, spec, ...rest })) {
    const own = container.securityContext ?? {};
    const name = container.name;
    const get = (field: string) => own[field] ?? pod[field];
    if (own.privileged) say(`${name} privileged`);
    if (own.allowPrivilegeEscalation !== false) say(`${name} allowPrivilegeEscalation`);
    if (!(own.capabilities?.drop ?? []).includes("ALL")) say(`${name} capabilities not dropped`);
    if ((own.capabilities?.add ?? []).some((capability: string) => capability !== "NET_BIND_SERVICE")) say(`${name} capabilities added`);
    if (get("runAsNonRoot") !== true) say(`${name} runAsNonRoot`);
    if (get("runAsUser") === 0) say(`${name} runAsUser 0`);
    if (!["RuntimeDefault", "Localhost"].includes(get("seccompProfile")?.type)) say(`${name} seccompProfile`);
    if ((container.ports ?? []).some((port: { hostPort?: number }) => port.hostPort)) say(`${name} hostPort`);
  }
  return found;
}

describe("every pod of every example", () => {
  const pods = [...rendered].flatMap(([ci, objects]) => workloads(objects).map((pod) => ({ ...pod, title: `${ci}: ${pod.title}` })));

  it("passes the restricted Pod Security Standard", () => {
    const components = new Set(pods.map(({ labels }) => labels["app.kubernetes.io/component"]));
    assert.deepEqual([...components].sort(), ["bootstrap", "operator", "rabbitmq", "redis", "server", "test"]);
    assert.deepEqual(pods.flatMap(violations), []);
  });

  it("is judged by a check that finds what is planted", () => {
    const bad = {
      hostNetwork: true,
      volumes: [{ name: "x", hostPath: { path: "/" } }],
      containers: [{ name: "c", ports: [{ hostPort: 80 }], securityContext: { privileged: true, capabilities: { add: ["SYS_ADMIN"] }, runAsUser: 0 } }],
    };
    const object: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
    assert.equal(violations({ title: "p", object, labels: {}, spec: bad }).length, 10);
  });

  it("of this chart writes nothing to its root file system and has bounds on memory", () => {
    const own = pods
      .flatMap((pod) => containers(pod).map((container) => ({ title: `${pod.title}: ${container.name}`, container })))
      .filter(({ container }) => !["first", "beside"].includes(container.name));
    assert.deepEqual(
      own.filter(({ container }) => container.securityContext.readOnlyRootFilesystem !== true).map(({ title }) => title),
      [],
    );
    assert.deepEqual(
      own.filter(({ container }) => !container.resources?.limits?.memory || !container.resources?.requests?.cpu).map(({ title }) => title),
      [],
    );
  });

  it("mounts no token of itself, and a projected one only where the Kubernetes API is asked", () => {
    for (const { title, spec } of pods) assert.equal(spec.automountServiceAccountToken, false, title);
    const holders = pods.filter(({ spec }) => JSON.stringify(spec.volumes).includes("serviceAccountToken"));
    const kinds = new Set(holders.map(({ labels }) => labels["app.kubernetes.io/component"]));
    assert.deepEqual([...kinds].sort(), ["bootstrap", "operator", "server"]);
    // Without the watch, a server needs none.
    assert.ok(!holders.some(({ title }) => /^(redis-external|locked-down): Deployment/.test(title)));
  });

  it("can be pinned by digest and come from one registry", () => {
    const images = workloads(rendered.get("locked-down") ?? []).flatMap((pod) => containers(pod).map(({ image }) => image as string));
    assert.ok(images.length >= 3);
    for (const image of images) assert.match(image, /^registry\.example\.com\/\S+@sha256:[0-9a-f]{64}$/);
  });

  it("can be given the user that a cluster chooses", async () => {
    const podSecurityContext = { runAsUser: null, runAsGroup: null, fsGroup: null };
    const embedded = { podSecurityContext };
    const objects = await render({ ci: "rabbitmq-embedded", values: { podSecurityContext, redis: { embedded }, rabbitmq: { embedded } } });
    for (const pod of workloads(objects)) {
      assert.doesNotMatch(JSON.stringify(pod.spec), /runAsUser|runAsGroup|fsGroup"/, pod.title);
      assert.deepEqual(violations(pod), []);
    }
  });

  it("takes a digest for each image of its own", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const image = { digest };
    const objects = await render({
      ci: "rabbitmq-embedded",
      values: {
        global: { imageRegistry: "r.example.com" },
        image,
        redis: { embedded: { image } },
        rabbitmq: { embedded: { image } },
        tests: { image: { tag: "9", digest: "" } },
        operator: { enabled: true, image },
      },
    });
    const images = workloads(objects).map((pod) => [pod.labels["app.kubernetes.io/component"], ...containers(pod).map((each) => each.image)].join(" "));
    assert.deepEqual(images.sort(), [
      `bootstrap r.example.com/xlvein/server@${digest}`,
      `operator r.example.com/xlvein/server@${digest}`,
      `rabbitmq r.example.com/library/rabbitmq@${digest}`,
      `redis r.example.com/valkey/valkey@${digest}`,
      `server r.example.com/xlvein/server@${digest}`,
      "test r.example.com/xlvein/server:9",
    ]);
  });
});

describe("secrets", () => {
  const planted = "planted-secret-planted-secret-planted-secret";

  it("of applications stand in one Secret and nowhere else", async () => {
    const objects = await render({
      values: {
        applications: [
          { appKey: "a", appSecret: planted },
          { appKey: "b", secrets: [{ id: "1", secret: `${planted}2` }] },
        ],
      },
    });
    const holders = objects.filter((object) => JSON.stringify(object).includes(planted) || decoded(object).includes(planted));
    assert.deepEqual(
      holders.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ["Secret xlvein-applications"],
    );
    const set = JSON.parse(Buffer.from(find(objects, "Secret")["data"]["applications.json"], "base64").toString());
    assert.deepEqual(set, {
      applications: [
        { app_key: "a", app_secret: planted },
        { app_key: "b", secrets: [{ id: "1", secret: `${planted}2` }] },
      ],
    });
  });

  it("of brokers reach a container through a Secret's key, never in arguments or a ConfigMap", () => {
    for (const [ci, objects] of rendered)
      for (const pod of workloads(objects))
        for (const { name, env = [], args = [], command = [] } of containers(pod)) {
          const secret = (env as { name: string; value?: string }[]).filter(
            (each) => /PASSWORD|SECRET$|AUTH/.test(each.name) && each.name !== "XLVEIN_APPLICATIONS_SECRET",
          );
          for (const each of secret) assert.equal(each.value, undefined, `${ci}: ${pod.title} ${name} ${each.name}`);
          assert.doesNotMatch([...args, ...command].join(" "), /\$\(\w*(PASSWORD|SECRET)\w*\)|requirepass|--pass/i, `${ci}: ${pod.title} ${name}`);
        }
    for (const [ci, objects] of rendered)
      for (const map of objects.filter(({ kind }) => kind === "ConfigMap"))
        assert.doesNotMatch(JSON.stringify(map["data"]), /requirepass \S|default_pass|app_secret"|:\/\/[^/"]*:[^/"@]*@/, `${ci}: ${map.metadata.name}`);
  });

  it("are made once by the hook, by name and without overwriting", async () => {
    const role = find(rendered.get("rabbitmq-embedded") ?? [], "Role", "xlvein-bootstrap");
    assert.deepEqual(role["rules"], [
      { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
      { apiGroups: [""], resources: ["secrets"], resourceNames: ["xlvein-default-application", "xlvein-rabbitmq", "xlvein-redis"], verbs: ["get"] },
    ]);
    const [pod] = workloads(rendered.get("rabbitmq-embedded") ?? []).filter(({ object }) => object.kind === "Job");
    const args = pod?.spec.containers[0].args as string[];
    assert.deepEqual(args.slice(0, 2), ["bootstrap-secrets", "--namespace=push"]);
    assert.ok(
      ["--redis=xlvein-redis", "--rabbitmq=xlvein-rabbitmq", "--application=xlvein-default-application"].every((each) => args.includes(each)),
      args.join(" "),
    );
    // Nothing to make: no Job.
    assert.ok(!(rendered.get("redis-external") ?? []).some(({ kind }) => kind === "Job"));
  });

  it("made by Helm itself hold what the pods read", async () => {
    const objects = await render({ ci: "rabbitmq-embedded", values: { bootstrapSecrets: { mode: "lookup" } } });
    const keys = Object.fromEntries(
      objects.filter(({ kind }) => kind === "Secret").map((secret) => [secret.metadata.name, Object.keys(secret["data"]).sort().join(" ")]),
    );
    assert.deepEqual(keys, {
      "xlvein-default-application": "app_key app_secret applications.json connect_url provider push_url type",
      "xlvein-rabbitmq": "default_user.conf password username",
      "xlvein-redis": "auth.conf password",
    });
    const data = find(objects, "Secret", "xlvein-redis")["data"] as Record<string, string>;
    const [password, conf] = [data["password"], data["auth.conf"]].map((text) => Buffer.from(text ?? "", "base64").toString());
    assert.equal(conf, `requirepass ${password}\n`);
    assert.ok((password ?? "").length >= 32);
  });
});

describe("rights", () => {
  const rulesOf = (ci: string, kind: string, name: string) => find(rendered.get(ci) ?? [], kind, name)["rules"] as Record<string, Json>[];

  it("of a server are one Secret by name, and pods where it sets their deletion cost", () => {
    const watch = { apiGroups: [""], resources: ["secrets"], resourceNames: ["xlvein-default-application"], verbs: ["get", "list", "watch"] };
    assert.deepEqual(rulesOf("default", "Role", "xlvein"), [watch]);
    assert.deepEqual(rulesOf("ha-hpa", "Role", "xlvein"), [watch, { apiGroups: [""], resources: ["pods"], verbs: ["get", "patch"] }]);
    assert.ok(!(rendered.get("redis-external") ?? []).some(({ kind }) => kind === "Role"));
  });

  it("of the operator list and watch no Secret anywhere", () => {
    for (const ci of ["operator", "operator-namespaces"])
      for (const object of (rendered.get(ci) ?? []).filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && /operator/.test(metadata.name)))
        for (const rule of object["rules"] as { resources: string[]; verbs: string[] }[])
          if (rule.resources.includes("secrets"))
            assert.deepEqual(
              rule.verbs.filter((verb) => ["list", "watch", "*"].includes(verb)),
              [],
              object.metadata.name,
            );
  });

  it("of the operator are a Role in each namespace it serves, or a ClusterRole where it serves all", () => {
    const tenants = (rendered.get("operator-namespaces") ?? []).filter(({ kind, metadata }) => kind === "Role" && metadata.name.endsWith("-tenant"));
    assert.deepEqual(tenants.map(({ metadata }) => metadata.namespace).sort(), ["helpdesk", "shop", "xlvein"]);
    assert.ok(!(rendered.get("operator-namespaces") ?? []).some(({ kind }) => kind.startsWith("ClusterRole")));
    const role = find(rendered.get("operator") ?? [], "ClusterRole", "push-xlvein-operator");
    assert.deepEqual(role["rules"], tenants[0]?.["rules"]);
    assert.equal(role.metadata.namespace, undefined);
  });

  it("of the operator are what it does, and no more", () => {
    const own = rulesOf("operator", "Role", "xlvein-operator") as unknown as { resources: string[]; resourceNames?: string[]; verbs: string[] }[];
    const tenants = rulesOf("operator", "ClusterRole", "push-xlvein-operator") as unknown as typeof own;
    const words = ({ resources, resourceNames = [], verbs }: (typeof own)[number]) => [...resources, ...resourceNames, ":", ...verbs].join(" ");
    assert.deepEqual(own.map(words), [
      "secrets : create",
      "secrets xlvein-operator-applications : get update",
      "endpointslices : list",
      "leases : create",
      "leases xlvein-operator : get update",
    ]);
    assert.deepEqual(tenants.map(words), ["applications : list watch", "applications/status : patch", "secrets : create get patch delete", "events : create"]);
  });

  it("of people to Applications come with what they may do in their namespace, unless that is not wanted", async () => {
    const roles = (objects: readonly KubeObject[]) => objects.filter(({ kind, metadata }) => kind === "ClusterRole" && /-(edit|view)$/.test(metadata.name));
    const words = roles(rendered.get("operator") ?? []).map(({ metadata }) =>
      Object.keys(metadata.labels ?? {})
        .filter((key) => key.startsWith("rbac."))
        .map((key) => key.split("/aggregate-to-")[1])
        .join(" "),
    );
    assert.deepEqual(words, ["admin edit", "view"]);
    for (const { rules } of roles(rendered.get("operator") ?? []) as unknown as { rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] }[])
      for (const { apiGroups, resources, verbs } of rules) {
        assert.deepEqual(apiGroups, ["xlvein.io"]);
        // A status is the operator's alone.
        if (resources.includes("applications/status"))
          assert.deepEqual(
            verbs.filter((verb) => !["get", "list", "watch"].includes(verb)),
            [],
          );
      }
    for (const values of [{ operator: { aggregateRoles: false } }, { crds: { install: false } }, { rbac: { create: false } }])
      assert.deepEqual(roles(await render({ ci: "operator", values })), [], JSON.stringify(values));
  });

  it("are nowhere all of something", () => {
    for (const objects of rendered.values())
      for (const object of objects.filter(({ kind }) => /^(Cluster)?Role$/.test(kind)))
        for (const rule of object["rules"] as Record<string, string[]>[])
          for (const field of Object.values(rule)) assert.ok(!field.includes("*"), object.metadata.name);
  });
});

function decoded(object: KubeObject): string {
  const data = (object["data"] ?? {}) as Record<string, string>;
  return Object.values(data)
    .map((text) => Buffer.from(text, "base64").toString())
    .join("\n");
}
