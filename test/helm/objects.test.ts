// Every object is one that Kubernetes knows: its schema accepts the values, and its type has every field.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import ts from "typescript";
import { kubernetesTools } from "../setup/kubernetes.ts";
import { each, examples, type KubeObject, render, VERSIONS } from "./chart.ts";

const { folder } = await kubernetesTools();

/** Where the schema of a group is. */
const MODULES: Readonly<Record<string, string>> = {
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "keda.sh": "@kubernetes-models/keda",
};
/** Kinds whose schemas no package has; wiring.test.ts and config.test.ts name their fields. */
const WITHOUT = ["RabbitmqCluster", "BackendConfig", "BackendTrafficPolicy", "GCPBackendPolicy", "HealthCheckPolicy"];

/** `apps/v1` → `kubernetes-models/apps/v1` */
function moduleOf({ apiVersion }: Pick<KubeObject, "apiVersion">): string {
  const [group = ""] = apiVersion.split("/");
  return `${MODULES[group] ?? "kubernetes-models"}/${apiVersion}`;
}

interface Model {
  validate(): void;
}

/** What an object's schema has against it. */
async function schemaFault(object: KubeObject): Promise<string | undefined> {
  const path = join(folder, "node_modules", moduleOf(object), "index.js");
  const kinds = (await import(path)) as Record<string, new (data: object) => Model>;
  const Kind = kinds[object.kind] ?? assert.fail(`${moduleOf(object)} has no ${object.kind}`);
  try {
    new Kind(structuredClone(object)).validate();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What the types have against the objects: fields that do not exist, above all. */
function typeFaults(objects: readonly { title: string; object: KubeObject }[]): string[] {
  const lines = objects.map(
    ({ object }, i) => `import type { I${object.kind} as T${i} } from "${moduleOf(object)}"; export const o${i}: T${i} = ${JSON.stringify(object)};`,
  );
  const file = join(folder, "objects.ts");
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, lines.join("\n"), ts.ScriptTarget.ES2022) : read(name, ...rest));
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => name === file || exists(name);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file: at, start = 0, messageText }) => {
    const line = at?.fileName === file ? (at.getLineAndCharacterOfPosition(start).line ?? 0) : -1;
    return `${objects[line]?.title ?? at?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ").slice(0, 300)}`;
  });
}

const extra = {
  operator: { enabled: true, admissionPolicy: { enabled: true } },
  metrics: { serviceMonitor: { enabled: true, relabelings: [{ action: "labeldrop", regex: "x" }] } },
};
const rendered = await each(
  [...examples.flatMap((ci) => VERSIONS.map((kube) => ({ ci, kube, values: {} }))), { ci: "default", kube: "1.37.0", values: extra }],
  async (options) => (await render(options)).map((object) => ({ title: `${options.ci} on ${options.kube}: ${object.kind} ${object.metadata.name}`, object })),
);
/** Equal ones are judged once. */
const objects = [...new Map(rendered.flat().map((each) => [JSON.stringify(each.object), each])).values()].filter(
  ({ object }) => !WITHOUT.includes(object.kind),
);

describe("every object of every example", () => {
  it("is accepted by its schema", async () => {
    assert.ok(objects.length > 100, `only ${objects.length} objects`);
    const faults = await each(objects, async ({ title, object }) => [title, await schemaFault(object)] as const);
    assert.deepEqual(
      faults.filter(([, fault]) => fault !== undefined),
      [],
    );
  });

  it("has no field that its kind does not have", () => assert.deepEqual(typeFaults(objects), []));

  it("is judged by checks that find what is planted", async () => {
    const service = (spec: object): KubeObject => ({ apiVersion: "v1", kind: "Service", metadata: { name: "x" }, spec });
    assert.match((await schemaFault(service({ ports: [{ port: "http" }] }))) ?? "", /port/);
    const faults = typeFaults([{ title: "planted", object: service({ ports: [{ port: 80, targetport: "http" }] }) }]);
    assert.match(faults.join(), /^planted: .*"targetport"' does not exist in type 'IServicePort'/);
  });

  it("belongs to a kind that is known here", () => {
    const kinds = new Set(rendered.flat().map(({ object }) => object.kind));
    for (const kind of [
      "Deployment",
      "StatefulSet",
      "Job",
      "Pod",
      "HorizontalPodAutoscaler",
      "ScaledObject",
      "ServiceMonitor",
      "PodMonitor",
      "PrometheusRule",
      "HTTPRoute",
      "CustomResourceDefinition",
      "ValidatingAdmissionPolicy",
      "RabbitmqCluster",
    ])
      assert.ok(kinds.has(kind), kind);
  });
});
