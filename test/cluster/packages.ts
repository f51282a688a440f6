// Debian's packages that a cluster is made of, and what else must be there.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Need } from "../setup/system.ts";

const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const NAMES: readonly (readonly [name: string, program: string, reason: string])[] = [
  ["containerd", "containerd", "the containers of the cluster tests"],
  ["runc", "runc", "the containers of the cluster tests"],
  ["containernetworking-plugins", "/usr/lib/cni/bridge", "their network"],
  ["iproute2", "ip", "the cluster's network"],
  ["nftables", "nft", "kube-proxy, which leads connections to Services"],
  ["iptables", "iptables", "the kubelet"],
  ["conntrack", "conntrack", "kube-proxy"],
  ["etcd-server", "etcd", "the cluster's store"],
  ["buildah", "buildah", "the image"],
  ["debootstrap", "debootstrap", "the system inside the image"],
  ["openssl", "openssl", "the cluster's certificates"],
];

/** What `provideSystem` installs for the cluster tests, beside what all tests need. */
export const CLUSTER_NEEDS: readonly Need[] = NAMES.map(([name, program, reason]) => ({
  package: name,
  reason,
  present: () => (program.startsWith("/") ? existsSync(program) : FOLDERS.some((folder) => existsSync(join(folder, program)))),
}));
