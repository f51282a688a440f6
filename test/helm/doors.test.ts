// The ways in: Ingress presets, routes and policies of gateways, balancers; what is public, and how the pods are spoken to.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { each, examples, find, render } from "./chart.ts";

const rendered = await each(examples, async (ci) => ({ ci, objects: await render({ ci }) }));

describe("doors to the outside", () => {
  it("show the WebSocket alone, unless more is wanted", async () => {
    const paths = async (ingress: object) =>
      find(await render({ values: { ingress: { enabled: true, ...ingress } } }), "Ingress")["spec"].rules[0].http.paths.map(
        (each: { path: string; pathType: string }) => `${each.pathType} ${each.path}`,
      );
    assert.deepEqual(await paths({}), ["Exact /ws/connect"]);
    assert.deepEqual(await paths({ exposePush: true, exposeSdk: true }), ["Exact /ws/connect", "Prefix /api/v1", "Exact /sdk.js"]);
    assert.ok(!JSON.stringify(find(rendered.find(({ ci }) => ci === "gateway")?.objects ?? [], "HTTPRoute", "xlvein")["spec"]).includes("timeouts"));
  });

  it("have the time-outs of each preset, above which annotations of your own stand", async () => {
    const annotations = async (preset: string, own = {}) =>
      find(await render({ values: { ingress: { enabled: true, preset, annotations: own } } }), "Ingress").metadata.annotations ?? {};
    const expected: Record<string, [string, string]> = {
      haproxy: ["haproxy.org/timeout-tunnel", "3600s"],
      "nginx-f5": ["nginx.org/proxy-read-timeout", "3600s"],
      "ingress-nginx": ["nginx.ingress.kubernetes.io/proxy-read-timeout", "3600"],
      alb: ["alb.ingress.kubernetes.io/load-balancer-attributes", "idle_timeout.timeout_seconds=3600"],
    };
    for (const [preset, [key, value]] of Object.entries(expected)) {
      assert.equal((await annotations(preset))[key], value);
      assert.equal((await annotations(preset, { [key]: "mine" }))[key], "mine");
    }
    assert.deepEqual(await annotations("traefik"), {});
    const gce = rendered.find(({ ci }) => ci === "locked-down")?.objects ?? [];
    assert.equal(find(gce, "BackendConfig")["spec"].timeoutSec, 86_400);
    assert.deepEqual(JSON.parse(find(gce, "Service", "xlvein-push").metadata.annotations?.["cloud.google.com/backend-config"] ?? ""), {
      default: "xlvein-push",
    });
  });

  it("speak TLS to pods that do, in each proxy's words", async () => {
    const tls = { existingSecret: "push-tls" };
    const annotated = async (preset: string, kind: string) =>
      find(await render({ values: { tls, ingress: { enabled: true, preset } } }), kind, "xlvein").metadata.annotations;
    const inside: Record<string, [string, string, string]> = {
      haproxy: ["Ingress", "haproxy.org/server-ssl", "true"],
      "nginx-f5": ["Ingress", "nginx.org/ssl-services", "xlvein"],
      "ingress-nginx": ["Ingress", "nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"],
      alb: ["Ingress", "alb.ingress.kubernetes.io/backend-protocol", "HTTPS"],
      traefik: ["Service", "traefik.ingress.kubernetes.io/service.serversscheme", "https"],
      gce: ["Service", "cloud.google.com/app-protocols", '{"http":"HTTPS"}'],
    };
    for (const [preset, [kind, key, value]] of Object.entries(inside)) {
      assert.equal((await annotated(preset, kind))?.[key], value, preset);
      const plain = find(await render({ values: { ingress: { enabled: true, preset } } }), kind, "xlvein").metadata.annotations ?? {};
      assert.equal(plain[key], undefined, preset);
    }
  });

  it("let a gateway check the pods' certificate", async () => {
    const httpRoute = (backendTls: object) => ({ enabled: true, parentRefs: [{ name: "g" }], backendTls });
    const policy = async (backendTls: object) =>
      find(await render({ values: { tls: { existingSecret: "t" }, httpRoute: httpRoute(backendTls) } }), "BackendTLSPolicy")["spec"];
    const targetRefs = [{ group: "", kind: "Service", name: "xlvein" }];
    assert.deepEqual(await policy({ hostname: "a.example" }), { targetRefs, validation: { hostname: "a.example", wellKnownCACertificates: "System" } });
    assert.deepEqual((await policy({ hostname: "a.example", caConfigMap: "ca" })).validation.caCertificateRefs, [{ group: "", kind: "ConfigMap", name: "ca" }]);
  });

  it("may be several routes, each with paths of its own and under the gateway's policy", async () => {
    const additionalRoutes = { private: { parentRefs: [{ name: "inside" }], exposePush: true } };
    const httpRoute = { enabled: true, parentRefs: [{ name: "g" }], hostnames: ["a.example"], policyPreset: "envoy-gateway", additionalRoutes };
    const objects = await render({ values: { httpRoute } });
    const paths = (name: string) =>
      find(objects, "HTTPRoute", name)["spec"].rules[0].matches.map(({ path }: { path: { type: string; value: string } }) => `${path.type} ${path.value}`);
    assert.deepEqual([paths("xlvein"), paths("xlvein-private")], [["Exact /ws/connect"], ["Exact /ws/connect", "PathPrefix /api/v1"]]);
    assert.equal(find(objects, "HTTPRoute", "xlvein-private")["spec"].hostnames, undefined);
    const targets = find(objects, "BackendTrafficPolicy")["spec"].targetRefs.map(({ name }: { name: string }) => name);
    assert.deepEqual(targets, ["xlvein", "xlvein-private"]);
  });

  it("wait behind an AWS NLB as long as it takes to forget a pod", () => {
    const annotations = find(rendered.find(({ ci }) => ci === "ha-keda")?.objects ?? [], "Service", "xlvein").metadata.annotations ?? {};
    assert.equal(annotations["service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"], "ip");
    assert.equal(annotations["service.beta.kubernetes.io/aws-load-balancer-target-group-attributes"], "deregistration_delay.timeout_seconds=190");
  });

  it("come with the policies of each gateway", async () => {
    const kinds = async (policyPreset: string) =>
      (await render({ values: { httpRoute: { enabled: true, parentRefs: [{ name: "g" }], policyPreset } } }))
        .map(({ kind }) => kind)
        .filter((kind) => /Policy$/.test(kind) && kind !== "NetworkPolicy");
    assert.deepEqual(
      [await kinds(""), await kinds("envoy-gateway"), await kinds("gke")],
      [[], ["BackendTrafficPolicy"], ["GCPBackendPolicy", "HealthCheckPolicy"]],
    );
  });
});
