// Runs in a test machine as its cluster DNS: A records of Services, and of the ready pods of headless ones, read from the API every half second.
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { KubernetesApi, type KubernetesObject } from "./api.ts";

interface Service extends KubernetesObject {
  readonly spec: { readonly clusterIP?: string; readonly publishNotReadyAddresses?: boolean };
}

interface EndpointSlice extends KubernetesObject {
  readonly endpoints?: readonly { readonly addresses: readonly string[]; readonly hostname?: string; readonly conditions?: { readonly ready?: boolean } }[];
}

const ZONE = "svc.cluster.local";
const SYNC_MS = 500;
const TTL_SECONDS = 1;
const NAME_ERROR = 3;
/** A response with authority, recursion wished for and available. */
const FLAGS = 0x8580;

const [pki = "", url = "", address = "", port = ""] = process.argv.slice(2);
const api = new KubernetesApi(url, { ca: join(pki, "ca.crt"), cert: join(pki, "admin.crt"), key: join(pki, "admin.key") });
let table = new Map<string, string[]>();

async function sync(): Promise<void> {
  const found = new Map<string, string[]>();
  const add = (name: string, ip: string) => found.set(name, [...(found.get(name) ?? []), ip]);
  const [services, slices] = await Promise.all([api.list<Service>("/api/v1/services"), api.list<EndpointSlice>("/apis/discovery.k8s.io/v1/endpointslices")]);
  for (const { metadata, spec } of services)
    if (spec.clusterIP && spec.clusterIP !== "None") add(`${metadata.name}.${metadata.namespace}.${ZONE}`, spec.clusterIP);
  for (const { metadata, endpoints } of slices) {
    const name = metadata.labels?.["kubernetes.io/service-name"];
    const service = services.find((one) => one.metadata.name === name && one.metadata.namespace === metadata.namespace);
    if (service?.spec.clusterIP !== "None") continue;
    for (const { addresses, hostname, conditions } of endpoints ?? []) {
      if (conditions?.ready === false && service.spec.publishNotReadyAddresses !== true) continue;
      for (const ip of addresses) {
        add(`${name}.${metadata.namespace}.${ZONE}`, ip);
        if (hostname !== undefined) add(`${hostname}.${name}.${metadata.namespace}.${ZONE}`, ip);
      }
    }
  }
  table = found;
}

/** One question, as every resolver sends it; answers name, type and where the question ends. */
function read(query: Buffer): { name: string; isAddress: boolean; end: number } {
  const labels: string[] = [];
  let offset = 12;
  for (let length = query[offset] ?? 0; length > 0; length = query[offset] ?? 0) {
    labels.push(query.toString("latin1", offset + 1, offset + 1 + length));
    offset += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), isAddress: query.readUInt16BE(offset + 1) === 1, end: offset + 5 };
}

function answer(query: Buffer): Buffer {
  const { name, isAddress, end } = read(query);
  const known = table.get(name);
  const addresses = isAddress ? (known ?? []) : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(FLAGS | (known ? 0 : NAME_ERROR), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  // Each record refers to the name in the question; type A, class IN.
  const records = addresses.map((ip) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, TTL_SECONDS, 0, 4, ...ip.split(".").map(Number)]));
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

async function keepUp(): Promise<void> {
  await sync().catch((error: Error) => console.error(error.message));
  setTimeout(keepUp, SYNC_MS);
}

const socket = createSocket("udp4");
socket.on("message", (query, { port: from, address: host }) => {
  try {
    socket.send(answer(query), from, host);
  } catch (error) {
    // Not a query: nobody is answered.
    console.error(error);
  }
});
socket.bind(Number(port), address, () => void keepUp());
