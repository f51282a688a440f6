// Every key of the configuration: its kind, bounds, default and meaning. Units are in the names.
import type { Config } from "./config.ts";
import type { FormatName } from "./formats.ts";
import "./formats.ts";

/** The tree that convict is given. A leaf is what has a `default`. */
export const schema = {
  debug: { doc: "Raises the log level to debug, unless log.level says otherwise.", format: "switch", default: false },
  app: { doc: "The name of this installation in logs.", format: "text", default: "xlvein" },
  host: { doc: 'Where clients and backends connect: ":8090", "127.0.0.1:8090", "[::1]:8090", or a port.', format: "listen", default: ":8090" },
  exchange: {
    type: {
      doc: "What carries messages between nodes.",
      format: "choice",
      choices: ["local", "redis", "rabbitmq"],
      default: "local" as Config["exchange"]["type"],
    },
    exchange_name: { doc: "Separates installations on one broker. Empty: queue_name, else xlvein.", format: "name", default: "" },
    queue_name: { doc: "Prefix of this node's queue on RabbitMQ. Empty: <exchange_name>.queue.", format: "name", default: "" },
    rabbitmq: {
      doc: "amqp://user:password@host:5672/vhost or amqps://…, or a list that is tried in turn. An unescaped @ in the password is understood.",
      format: "addresses",
      default: "" as string | readonly string[],
      sensitive: true,
    },
    redis: {
      doc: "host:6379, redis://user:password@host:6379/0, redis+sentinel://host,host/master, redis+cluster://host,host, each with rediss for TLS; a list shares the load.",
      format: "addresses",
      default: "" as string | readonly string[],
      sensitive: true,
    },
    tls: {
      ca: { doc: "PEM certificates to trust with rediss:// and amqps://. Empty: the system's.", format: "path", default: "" },
      cert: { doc: "PEM certificate that is shown to a broker that asks for one.", format: "path", default: "" },
      key: { doc: "PEM private key that belongs to exchange.tls.cert.", format: "path", default: "" },
    },
    buckets: { doc: "Routing keys that accounts are spread over on RabbitMQ; the same on every node.", format: "whole", min: 1, max: 65536, default: 1024 },
    wire_version: {
      doc: "Version of the messages between nodes that this node writes; it reads 1 and 2. Raise it to 2 when every node reads 2.",
      format: "whole",
      min: 1,
      max: 2,
      default: 1,
    },
    probe_seconds: { doc: "Between the checks that what this node publishes arrives.", format: "decimal", min: 0.1, max: 3600, default: 5 },
  },
  store: {
    type: {
      doc: "What remembers nonces, streams and presence. Where unset, it follows exchange.type: local memory, redis redis, rabbitmq none.",
      format: "choice",
      choices: ["memory", "redis", "none"],
      default: "memory" as Config["store"]["type"],
    },
    history: {
      messages: { doc: "Messages kept of each stream.", format: "whole", min: 1, max: 100000, default: 100 },
      seconds: { doc: "How long they are kept.", format: "decimal", min: 1, max: 2592000, default: 300 },
    },
  },
  applications: { doc: "The applications: a list, or a map {revision, applications}.", format: "applications", default: [] as unknown, sensitive: true },
  applications_file: { doc: "A JSON or YAML file with {revision, applications}; read again when it changes.", format: "path", default: "" },
  applications_dir: {
    doc: "A directory with applications.json or applications.yaml, such as a mounted Secret; read again when it changes.",
    format: "path",
    default: "",
  },
  applications_secret: {
    doc: "A Kubernetes Secret of the pod's own namespace with the same keys, watched: changes count at once. Beside applications_dir, where the same Secret is mounted, it is one place with it.",
    format: "secret",
    default: "",
  },
  tls: {
    cert: { doc: "PEM certificate chain of the listener; read again when it changes. Empty: no TLS.", format: "path", default: "" },
    key: { doc: "PEM private key that belongs to tls.cert.", format: "path", default: "" },
  },
  internal: {
    enabled: { doc: "Whether the listener for health checks and metrics is opened.", format: "switch", default: true },
    host: { doc: "Its address. 0.0.0.0 in a Kubernetes pod, where unset.", format: "host", default: "127.0.0.1" },
    port: { doc: "Its port. Where unset and in use, the server goes on without it.", format: "whole", min: 0, max: 65535, default: 8091 },
  },
  limits: {
    frame_bytes: { doc: "Largest client frame; more closes 1009.", format: "whole", min: 64, max: 16777216, default: 65536 },
    body_bytes: { doc: "Largest HTTP body; more answers 413.", format: "whole", min: 64, max: 67108864, default: 1048576 },
    json_depth: { doc: "Deepest nesting of a message's data.", format: "whole", min: 1, max: 1000, default: 64 },
    token_bytes: { doc: "Longest connect or API token.", format: "whole", min: 64, max: 14336, default: 4096 },
    connections: { doc: "WebSockets on this node; more answers 503.", format: "whole", min: 1, max: 1000000, default: 20000 },
    outbox_bytes: { doc: "Bytes waiting for one socket; what happens beyond: slow.", format: "whole", min: 1024, max: 1073741824, default: 1048576 },
    recover_messages: { doc: "Messages of one stream that a client may have missed and is sent.", format: "whole", min: 0, max: 10000, default: 1000 },
    unauthenticated_sockets: { doc: "TCP connections that have not authenticated; more are dropped.", format: "whole", min: 1, max: 1000000, default: 5000 },
    headers_timeout_seconds: { doc: "From the TCP connection to the complete headers.", format: "decimal", min: 0.01, max: 3600, default: 10 },
    request_timeout_seconds: { doc: "To the complete body; not less than the headers' time.", format: "decimal", min: 0.01, max: 3600, default: 15 },
    upgrade_timeout_seconds: { doc: "For the exchange to confirm a new socket; then 503.", format: "decimal", min: 0.01, max: 60, default: 2 },
  },
  ping: {
    seconds: { doc: "Between WebSocket pings; below every idle timeout of the balancers in between.", format: "decimal", min: 0.01, max: 3600, default: 25 },
    missed: { doc: "Unanswered pings after which a socket is cut.", format: "whole", min: 1, max: 100, default: 2 },
  },
  drain: {
    window_seconds: { doc: "Over how long a stopping server closes its sockets. 0: all at once.", format: "decimal", min: 0, max: 86400, default: 30 },
  },
  rebalance: {
    enabled: {
      doc: "Whether this node closes its surplus when it has far more sockets than the mean of all nodes that say the same here.",
      format: "switch",
      default: false,
    },
    threshold: { doc: "Multiple of the mean above which it does.", format: "decimal", min: 1.01, max: 100, default: 1.25 },
    closes_per_second: { doc: "How many it closes in a second.", format: "whole", min: 1, max: 10000, default: 20 },
  },
  pod_deletion_cost: {
    enabled: {
      doc: "Whether a Kubernetes pod tells its sockets as its deletion cost, so that a scale-down takes the emptiest.",
      format: "switch",
      default: false,
    },
  },
  ready: {
    event_loop_lag_seconds: { doc: "Above this lag /readyz says no.", format: "decimal", min: 0.01, max: 3600, default: 2 },
    heap_used_ratio: { doc: "Above this share of the heap limit /readyz says no. 1: never.", format: "decimal", min: 0.01, max: 1, default: 0.95 },
    exchange: { doc: "Whether /readyz says no while the broker is away. A shared broker would empty the Service.", format: "switch", default: false },
  },
  log: {
    level: {
      doc: "The least severe lines that are written.",
      format: "choice",
      choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
      default: "info" as Config["log"]["level"],
    },
  },
  console: { enabled: { doc: "Serves the test page at /console.", format: "switch", default: false } },
  docs: { enabled: { doc: "Serves the API's description at /docs.", format: "switch", default: true } },
} satisfies Tree;

interface Tree {
  readonly [name: string]: Leaf | Tree;
}

interface Leaf {
  readonly doc: string;
  readonly format: FormatName;
  readonly default: unknown;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: string[];
  /** Never printed. */
  readonly sensitive?: true;
}

type ValuesOf<S> = { readonly [K in keyof S]: S[K] extends { default: infer D } ? D : ValuesOf<S[K]> };

/** The tree of values, in the file's spelling. */
export type ConfigValues = ValuesOf<typeof schema>;

/** A leaf of the schema with its names. */
export interface Setting extends Leaf {
  /** Dotted, as in the file: `limits.frame_bytes`. */
  readonly key: string;
  /** `XLVEIN_LIMITS_FRAME_BYTES`. */
  readonly variable: string;
}

/** Every key, in the order of the schema. */
export const settings: readonly Setting[] = walk(schema, "").flatMap(({ key, node }) => (isLeaf(node) ? [settingOf(key, node)] : []));

/** The keys that hold others: `limits`, `exchange.tls`. */
export const sections: ReadonlySet<string> = new Set(walk(schema, "").flatMap(({ key, node }) => (isLeaf(node) ? [] : [key])));

const byKey = new Map(settings.map((setting) => [setting.key, setting]));

/** The setting of a dotted key; `undefined` for a section or an unknown key. */
export function findSetting(key: string): Setting | undefined {
  return byKey.get(key);
}

/** The tree's nodes with their dotted keys, each before those that it holds. */
function walk(tree: Tree, prefix: string): { key: string; node: Leaf | Tree }[] {
  return Object.entries(tree).flatMap(([name, node]) => [{ key: prefix + name, node }, ...(isLeaf(node) ? [] : walk(node, `${prefix}${name}.`))]);
}

function isLeaf(node: Leaf | Tree): node is Leaf {
  return "default" in node;
}

function settingOf(key: string, leaf: Leaf): Setting {
  return { ...leaf, key, variable: `XLVEIN_${key.replaceAll(".", "_").toUpperCase()}` };
}
