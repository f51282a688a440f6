// A node of a test cluster: containerd, kubelet and kube-proxy in the machine, with everything they write below one folder.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Servers } from "./control-plane.ts";
import { appears, type Machine } from "./machine.ts";
import type { Program } from "./program.ts";

/** Address of the cluster DNS. */
export const DNS_SERVICE = "10.96.0.10";
/** The name under which the kubelet and containerd know the container that holds a pod's namespaces. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";

const CNI_PROGRAMS = "/usr/lib/cni";
const READY_MS = 30_000;

export interface NodeRuntime {
  /** The first process of a container, by the id that Kubernetes tells, as the machine counts processes. */
  firstProcess(containerId: string): Promise<number>;
  /** Imports an image of an OCI archive. */
  importImage(archive: string): Promise<void>;
  /** And kube-proxy. All of them end with the machine. */
  startKubelet(servers: Servers): Promise<void>;
}

/** Resolves when containerd answers. */
export async function startNode(machine: Machine): Promise<NodeRuntime> {
  const { folder } = machine;
  const path = (name: string): string => join(folder, name);
  const socket = path("containerd.sock");
  for (const name of ["cni", "kubelet", "pod-logs", "containerd"]) await mkdir(path(name));
  await writeFile(path("cni/10-pods.conflist"), JSON.stringify(podNetwork(machine.pods, path("ipam"))));
  await writeFile(path("containerd.toml"), containerdConfig(folder));
  const programs: Program[] = [machine.start("containerd", ["containerd", "--config", path("containerd.toml")])];
  const check = (): void => {
    for (const program of programs) if (!program.running) throw new Error(`${program.name} has ended:\n${program.tail()}`);
  };
  await appears(socket, READY_MS, check);
  // containerd's own tool, for what Kubernetes does not tell.
  const ctr = (...args: readonly string[]) => machine.run("ctr", "--address", socket, "--namespace", "k8s.io", ...args);
  return {
    async firstProcess(containerId) {
      const id = containerId.replace("containerd://", "");
      const line = (await ctr("tasks", "list")).split("\n").find((each) => each.startsWith(id));
      if (line === undefined) throw new Error(`${machine.node} runs no container ${id}`);
      return Number(line.split(/\s+/)[1]);
    },
    importImage: async (archive) => void (await ctr("images", "import", archive)),
    async startKubelet({ pki, program, innerUrl }) {
      await pki.issueNode(machine.node, machine.address);
      const kubeconfig = await pki.kubeconfig(`node-${machine.node}`, innerUrl);
      await writeFile(path("kubelet.json"), JSON.stringify(kubeletConfig(machine, pki.ca, pki.path(`node-${machine.node}`))));
      await writeFile(path("kube-proxy.json"), JSON.stringify(proxyConfig(machine, pki.path("kube-proxy.conf"))));
      const identity = [`--hostname-override=${machine.node}`, `--node-ip=${machine.address}`];
      const folders = [`--root-dir=${path("kubelet")}`, `--cert-dir=${path("kubelet/pki")}`];
      programs.push(
        machine.start("kubelet", [program, "kubelet", `--config=${path("kubelet.json")}`, `--kubeconfig=${kubeconfig}`, ...folders, ...identity, "--v=2"]),
        machine.start("kube-proxy", [program, "kube-proxy", `--config=${path("kube-proxy.json")}`]),
      );
      check();
    },
  };
}

function podNetwork(pods: string, ipam: string): object {
  const addresses = { type: "host-local", ranges: [[{ subnet: pods }]], routes: [{ dst: "0.0.0.0/0" }], dataDir: ipam };
  const bridge = { type: "bridge", bridge: "pods0", isGateway: true, ipMasq: false, hairpinMode: true, ipam: addresses };
  return { cniVersion: "1.0.0", name: "pods", plugins: [bridge, { type: "portmap", capabilities: { portMappings: true } }] };
}

/** Version 2 of containerd reads this older form as well. */
function containerdConfig(folder: string): string {
  const cri = '[plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
[grpc]
  address = "${folder}/containerd.sock"
[ttrpc]
  address = "${folder}/containerd.ttrpc.sock"
${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
${cri}.cni]
  bin_dir = "${CNI_PROGRAMS}"
  conf_dir = "${folder}/cni"
${cri}.containerd]
  snapshotter = "overlayfs"
${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}

function kubeletConfig({ folder, cgroup, address }: Machine, ca: string, certificate: string): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: ["pods"],
    containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: ca } },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${certificate}.crt`,
    tlsPrivateKeyFile: `${certificate}.key`,
    address,
    healthzBindAddress: "127.0.0.1",
    clusterDomain: "cluster.local",
    clusterDNS: [DNS_SERVICE],
    resolvConf: "/dev/null",
    failSwapOn: false,
    oomScoreAdj: 0,
    podLogsDir: join(folder, "pod-logs"),
    volumePluginDir: join(folder, "kubelet/volume-plugins"),
    imageGCHighThresholdPercent: 100,
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    nodeStatusUpdateFrequency: "4s",
    protectKernelDefaults: false,
    makeIPTablesUtilChains: existsSync("/usr/sbin/iptables"),
    maxPods: 60,
  };
}

/** Leaves the kernel's connection tracking as it is. */
function proxyConfig({ node, pods }: Machine, kubeconfig: string): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig },
    mode: "nftables",
    clusterCIDR: pods,
    hostnameOverride: node,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    bindAddress: "0.0.0.0",
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
  };
}
