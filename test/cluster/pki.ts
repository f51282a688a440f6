// The certificates and kubeconfigs of a test cluster, made by openssl.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** Who is known to the API server: subjects, as RBAC and the Node authorizer read them. */
const CLIENTS = {
  admin: "/O=system:masters/CN=admin",
  "kube-apiserver-kubelet": "/O=system:masters/CN=kube-apiserver-kubelet",
  "kube-controller-manager": "/CN=system:kube-controller-manager",
  "kube-proxy": "/CN=system:kube-proxy",
  "kube-scheduler": "/CN=system:kube-scheduler",
} as const;

const SERVICE_NAMES = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"];
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export type ClientName = keyof typeof CLIENTS;

export interface Pki {
  readonly folder: string;
  /** Path of the authority's certificate. */
  readonly ca: string;
  /** Path of NAME.crt, NAME.key and the like. */
  path(file: string): string;
  /** Writes NAME.conf, a kubeconfig for the API server at `url`; answers its path. */
  kubeconfig(name: ClientName | `node-${string}`, url: string): Promise<string>;
  /** A node's certificate, as a client and as a server on `address`: node-NAME.crt. */
  issueNode(name: string, address: string): Promise<void>;
}

/** Makes everything that the control plane needs, below `folder`, for an API server at these addresses (127.0.0.1 besides). */
export async function createPki(folder: string, addresses: readonly string[]): Promise<Pki> {
  const path = (file: string): string => join(folder, file);
  const openssl = (...args: string[]) => promisify(execFile)("openssl", args, { cwd: folder });
  const authority = (name: string) =>
    openssl("req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.crt`);
  const issue = (name: string, subject: string, usage: string, names: readonly string[] = [], ca = "ca") =>
    openssl(
      ...[
        "req",
        "-x509",
        ...NEW_KEY,
        "-days",
        "2",
        "-subj",
        subject,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.crt`,
        "-CA",
        `${ca}.crt`,
        "-CAkey",
        `${ca}.key`,
      ],
      ...["-addext", `extendedKeyUsage=${usage}`, "-addext", "basicConstraints=critical,CA:FALSE"],
      ...(names.length > 0 ? ["-addext", `subjectAltName=${names.join(",")}`] : []),
    );
  await Promise.all([authority("ca"), authority("front-proxy-ca"), openssl("genrsa", "-out", "service-accounts.key", "2048")]);
  await Promise.all([
    openssl("rsa", "-in", "service-accounts.key", "-pubout", "-out", "service-accounts.pub"),
    issue("kube-apiserver", "/CN=kube-apiserver", "serverAuth", [
      ...SERVICE_NAMES.map((name) => `DNS:${name}`),
      ...["127.0.0.1", ...addresses].map((address) => `IP:${address}`),
    ]),
    issue("front-proxy", "/CN=front-proxy", "clientAuth", [], "front-proxy-ca"),
    ...Object.entries(CLIENTS).map(([name, subject]) => issue(name, subject, "clientAuth")),
  ]);
  return {
    folder,
    ca: path("ca.crt"),
    path,
    async kubeconfig(name, url) {
      const user = { "client-certificate": path(`${name}.crt`), "client-key": path(`${name}.key`) };
      await writeFile(path(`${name}.conf`), kubeconfig(url, path("ca.crt"), user), { mode: 0o600 });
      return path(`${name}.conf`);
    },
    async issueNode(name, address) {
      const names = [`DNS:${name}`, `IP:${address}`, "IP:127.0.0.1"];
      await issue(`node-${name}`, `/O=system:nodes/CN=system:node:${name}`, "clientAuth,serverAuth", names);
    },
  };
}

/** The text of a kubeconfig with one cluster and one user. JSON is YAML. */
export function kubeconfig(url: string, ca: string, user: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: url, "certificate-authority": ca } }],
    users: [{ name: "test", user }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}
