// etcd and kube-apiserver as plain processes: the real API for tests that need no pods. Ready in seconds once Kubernetes is compiled.
//
//   const plane = await startControlPlane(t);
//   await plane.createNamespace("shop");
//   plane.api.create("/api/v1/namespaces/shop/secrets", {...});               // as the administrator
//   const token = await plane.serviceAccountToken("shop", "xlvein-operator"); // a real token, RBAC and all; the account is made if need be
//   const config = await plane.serviceAccountKubeconfig("shop", "xlvein-operator"); // for KUBECONFIG
//   plane.url, plane.ca                                                        // what a pod would find at its service account's mount
//   await plane.kubectl("apply", "-f", file);  await plane.helm("install", …);  // the tools, as the administrator
//   await plane.stopApiServer("SIGKILL");  await plane.startApiServer();       // the same address, the same data
//
// Without `controllers: true` nobody collects garbage (ownerReferences), creates default service accounts or turns Deployments into pods.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { kubernetesTools } from "../setup/kubernetes.ts";
import { KubernetesApi } from "./api.ts";
import { createPki, kubeconfig, type Pki } from "./pki.ts";
import { here, type Place, type Program } from "./program.ts";
import { kubernetesProgram } from "./programs.ts";

/** Addresses of Services; the API server's own is the first. */
const SERVICES = "10.96.0.0/16";
const API_SERVICE = "10.96.0.1";
const READY_MS = 60_000;

export interface ControlPlane {
  /** https://127.0.0.1:PORT */
  readonly url: string;
  /** Path of the authority's certificate. */
  readonly ca: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** As the administrator. */
  readonly api: KubernetesApi;
  createNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  /** A token of the service account, which is created if it is not there; valid for `seconds`, at least 600. */
  serviceAccountToken(namespace: string, name: string, seconds?: number): Promise<string>;
  /** Path of a kubeconfig with such a token. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  /** The API as the service account sees it. */
  apiAs(namespace: string, serviceAccount: string): Promise<KubernetesApi>;
  /** Both reject with what the tool said; they resolve with its standard output. */
  kubectl(...args: readonly string[]): Promise<string>;
  helm(...args: readonly string[]): Promise<string>;
  stopApiServer(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves when it is ready again. */
  startApiServer(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Runs kube-controller-manager as well. */
  readonly controllers?: boolean;
}

/** Everything is gone after the test: processes by their pids, and one folder. Throws a sentence where Go is missing. */
export async function startControlPlane(t: Pick<TestContext, "after">, { controllers = false }: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), "xlvein-control-plane-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [etcd = 0, etcdPeers = 0, apiServer = 0, manager = 0] = await freePorts(4);
  const servers = await startServers({ place: here(folder), folder, address: "127.0.0.1", ports: { etcd, etcdPeers, apiServer } });
  t.after(() => servers.stop());
  const url = `https://127.0.0.1:${apiServer}`;
  const plane = await controlPlane(servers, url);
  t.after(() => plane.api.close());
  if (controllers) {
    const program = startControllers(servers, manager);
    t.after(() => program.stop("SIGKILL"));
  }
  return plane;
}

export interface Ports {
  readonly etcd: number;
  readonly etcdPeers: number;
  readonly apiServer: number;
}

export interface ServersOptions {
  readonly place: Place;
  readonly folder: string;
  /** The API server's address for nodes and pods. */
  readonly address: string;
  readonly ports: Ports;
}

/** etcd and kube-apiserver. */
export interface Servers extends ServersOptions {
  readonly pki: Pki;
  /** Path of Kubernetes' programs. */
  readonly program: string;
  /** The API server's URL where the servers run. */
  readonly innerUrl: string;
  readonly apiServer: Program;
  startApiServer(): void;
  /** Throws when one of them has ended by itself. */
  check(): void;
  stop(): Promise<void>;
}

/** Resolves when both are started; the API server is ready somewhat later. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { place, folder, address, ports } = options;
  const program = await kubernetesProgram();
  const pkiFolder = join(folder, "pki");
  await mkdir(pkiFolder);
  const pki = await createPki(pkiFolder, [address, API_SERVICE]);
  const innerUrl = `https://${address}:${ports.apiServer}`;
  const etcd = place.start("etcd", etcdArguments(join(folder, "etcd"), ports));
  const startApiServer = () => place.start("kube-apiserver", [program, "kube-apiserver", ...apiServerFlags(pki, options)]);
  let apiServer = startApiServer();
  return {
    ...options,
    pki,
    program,
    innerUrl,
    get apiServer() {
      return apiServer;
    },
    startApiServer() {
      apiServer = startApiServer();
    },
    check() {
      for (const server of [etcd, apiServer]) if (!server.running) throw new Error(`${server.name} has ended:\n${server.tail()}`);
    },
    async stop() {
      await apiServer.stop("SIGKILL");
      await etcd.stop("SIGKILL");
    },
  };
}

/** kube-controller-manager, with its own health port. */
export function startControllers({ place, program, pki, innerUrl }: Servers, port: number, more: readonly string[] = []): Program {
  const signing = { cert: pki.ca, key: pki.path("ca.key") };
  return place.start("kube-controller-manager", [
    ...[program, "kube-controller-manager", ...clientFlags(pki, "kube-controller-manager"), `--secure-port=${port}`, "--use-service-account-credentials=true"],
    ...[`--service-account-private-key-file=${pki.path("service-accounts.key")}`, `--root-ca-file=${pki.ca}`],
    ...[
      `--cluster-signing-cert-file=${signing.cert}`,
      `--cluster-signing-key-file=${signing.key}`,
      "--allocate-node-cidrs=false",
      `--master=${innerUrl}`,
      ...more,
    ],
  ]);
}

/** What every client program of the control plane is told. */
export function clientFlags(pki: Pki, name: "kube-controller-manager" | "kube-scheduler"): string[] {
  const file = pki.path(`${name}.conf`);
  return [
    `--kubeconfig=${file}`,
    `--authentication-kubeconfig=${file}`,
    `--authorization-kubeconfig=${file}`,
    "--bind-address=127.0.0.1",
    "--leader-elect=false",
  ];
}

/** What a test is given, with the API server reached at `url` from here. */
export async function controlPlane(servers: Servers, url: string): Promise<ControlPlane> {
  const { pki, innerUrl, folder } = servers;
  const api = new KubernetesApi(url, { ca: pki.ca, cert: pki.path("admin.crt"), key: pki.path("admin.key") });
  for (const name of ["kube-controller-manager", "kube-scheduler", "kube-proxy"] as const) await pki.kubeconfig(name, innerUrl);
  const admin = await pki.kubeconfig("admin", url);
  const tools = await kubernetesTools();
  await api.ready(READY_MS, servers.check);
  const token = async (namespace: string, name: string, seconds = 3_600): Promise<string> => {
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const { status, body } = await api.call("POST", accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
    if (status !== 201 && status !== 409) throw new Error(`${accounts}: ${body.message}`);
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: seconds } };
    return (await api.create<{ status: { token: string } }>(`${accounts}/${name}/token`, request)).status.token;
  };
  return {
    url,
    ca: pki.ca,
    kubeconfig: admin,
    api,
    createNamespace: async (name, labels = {}) => void (await api.create("/api/v1/namespaces", { metadata: { name, labels } })),
    serviceAccountToken: token,
    async serviceAccountKubeconfig(namespace, name) {
      const path = pki.path(`${namespace}-${name}.conf`);
      await writeFile(path, kubeconfig(url, pki.ca, { token: await token(namespace, name) }), { mode: 0o600 });
      return path;
    },
    apiAs: async (namespace, name) => new KubernetesApi(url, { ca: pki.ca, token: await token(namespace, name) }),
    kubectl: (...args) => run(tools.kubectl, ["--kubeconfig", admin, ...args], folder),
    helm: (...args) => run(tools.helm, ["--kubeconfig", admin, ...args], folder),
    stopApiServer: (signal) => servers.apiServer.stop(signal),
    async startApiServer() {
      servers.startApiServer();
      await api.ready(READY_MS, servers.check);
    },
  };
}

async function run(program: string, args: readonly string[], folder: string): Promise<string> {
  // Their caches and plugins: below the test's own folder.
  const env = {
    ...process.env,
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "tools"),
    XDG_CONFIG_HOME: join(folder, "tools"),
    XDG_DATA_HOME: join(folder, "tools"),
  };
  try {
    return (await promisify(execFile)(program, args, { env, maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${args.slice(2).join(" ")}: ${stderr}${stdout}` || String(error));
  }
}

function etcdArguments(data: string, { etcd, etcdPeers }: Ports): string[] {
  const [client, peer] = [`http://127.0.0.1:${etcd}`, `http://127.0.0.1:${etcdPeers}`];
  const addresses = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer];
  return ["etcd", "--name", "one", "--data-dir", data, ...addresses, "--initial-cluster", `one=${peer}`];
}

function apiServerFlags(pki: Pki, { address, ports }: ServersOptions): string[] {
  const loopback = address === "127.0.0.1";
  const kubelet = pki.path("kube-apiserver-kubelet");
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--bind-address=${loopback ? address : "0.0.0.0"}`,
    `--secure-port=${ports.apiServer}`,
    // A loopback address is refused here; without nodes nobody uses it.
    `--advertise-address=${loopback ? "192.0.2.1" : address}`,
    `--endpoint-reconciler-type=${loopback ? "none" : "lease"}`,
    `--service-cluster-ip-range=${SERVICES}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    // Nobody makes default service accounts where the controllers do not run.
    ...(loopback ? ["--disable-admission-plugins=ServiceAccount"] : []),
    `--client-ca-file=${pki.ca}`,
    `--tls-cert-file=${pki.path("kube-apiserver.crt")}`,
    `--tls-private-key-file=${pki.path("kube-apiserver.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${pki.path("service-accounts.pub")}`,
    `--service-account-signing-key-file=${pki.path("service-accounts.key")}`,
    `--kubelet-client-certificate=${kubelet}.crt`,
    `--kubelet-client-key=${kubelet}.key`,
    `--kubelet-certificate-authority=${pki.ca}`,
    "--kubelet-preferred-address-types=InternalIP",
    `--requestheader-client-ca-file=${pki.path("front-proxy-ca.crt")}`,
    "--requestheader-allowed-names=front-proxy",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    `--proxy-client-cert-file=${pki.path("front-proxy.crt")}`,
    `--proxy-client-key-file=${pki.path("front-proxy.key")}`,
    "--allow-privileged=true",
    "--profiling=false",
  ];
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
