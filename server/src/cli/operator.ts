// `xlvein operator`: serves Application objects of a Kubernetes cluster until a signal ends it; the chart's Deployment runs it.
import { type Command, InvalidArgumentError, Option } from "commander";
import { createLog, type LogLevel } from "../log.ts";
import { parseName, parseUrl } from "./bootstrap-secrets.ts";
import { CliError, Exit, endWithReader, type Io } from "./io.ts";
import { handleSignals } from "./signals.ts";
import { needed, parseCount } from "./values.ts";
import { version } from "./version.ts";

interface OperatorOptions {
  namespace?: string;
  server: string;
  applicationsSecret: string;
  serverService: string;
  serverPort: number;
  watchNamespaces?: readonly string[] | "*";
  connectUrl?: string;
  pushUrl?: string;
  allowForeignAppKeys?: true;
  leaderElectionLease?: string;
  leaseDurationSeconds: number;
  renewDeadlineSeconds: number;
  retryPeriodSeconds: number;
  internalHost: string;
  internalPort: number;
  logLevel: LogLevel;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

export function addOperator(program: Command, io: Io): void {
  program
    .command("operator")
    .description("turn Application objects of a Kubernetes cluster into credentials and the servers' applications")
    .option("--namespace <name>", "of the servers (default: POD_NAMESPACE, or the kubeconfig's)", parseName)
    .option("--server <name>", "which Applications are meant: their serverRef.name", parseName, "xlvein")
    .option("--applications-secret <name>", "the Secret that the servers read", parseName, "xlvein-operator-applications")
    .option("--server-service <name>", "the Service that selects the servers", parseName, "xlvein-admin")
    .option("--server-port <port>", "their internal listener", parsePortNumber, 8091)
    .option("--watch-namespaces <names>", "where Applications count: names parted by commas, or * (default: --namespace)", parseNamespaces)
    .option("--connect-url <url>", "what applications' Secrets say that clients connect to", parseUrl)
    .option("--push-url <url>", "what they say that backends push to", parseUrl)
    .option("--allow-foreign-app-keys", "let an appKey begin with another namespace and a dot")
    .option("--leader-election-lease <name>", "a Lease: only its holder writes (default: none, there is no other operator)", parseName)
    .option("--lease-duration-seconds <seconds>", "how long others wait for a holder that is silent", parseCount, 15)
    .option("--renew-deadline-seconds <seconds>", "a holder that could not renew for so long stops writing", parseCount, 10)
    .option("--retry-period-seconds <seconds>", "between renewals", parseCount, 2)
    .option("--internal-host <address>", "where /livez, /readyz and /metrics are served", "127.0.0.1")
    .option("--internal-port <port>", "their port; 0 lets the system choose", parsePortNumber, 8091)
    .addOption(new Option("--log-level <level>", "how much is logged").choices(LOG_LEVELS).default("info"))
    .addHelpText("after", OPERATOR_HELP)
    .action((options: OperatorOptions) => runOperator(options, io));
}

async function runOperator(options: OperatorOptions, io: Io): Promise<void> {
  const connectUrl = needed(options.connectUrl, "--connect-url");
  const pushUrl = needed(options.pushUrl, "--push-url");
  const election = electionOf(options);
  // Loaded here: it takes 50 MB, and most commands do without it.
  const { connect, createKube, createOperator, KubeError, ownNamespace } = await import("../operator/entry.ts");
  const log = createLog({ level: options.logLevel });
  process.stdout.off("error", endWithReader);
  try {
    const config = connect();
    const namespace = options.namespace ?? ownNamespace(config, io.env);
    const watched = options.watchNamespaces ?? [namespace];
    const operator = createOperator({
      ...{ namespace, election, version, log },
      kube: createKube(config),
      rules: { server: options.server, allowForeign: options.allowForeignAppKeys === true },
      addresses: { connectUrl, pushUrl },
      applicationsSecret: options.applicationsSecret,
      serverService: options.serverService,
      serverPort: options.serverPort,
      watchNamespaces: watched === "*" ? undefined : watched,
      internal: { host: options.internalHost, port: options.internalPort },
      pod: io.env["POD_NAME"],
    });
    handleSignals({ stop: () => operator.close(), log, terminal: process.stdin.isTTY === true });
    log.info({ event: "starting", version, node: process.versions.node, installation: options.server, namespace, watch_namespaces: watched });
    log.info({ event: "listening", internal_url: await operator.start() });
  } catch (error) {
    throw explain(error, error instanceof KubeError, options);
  }
}

function explain(error: unknown, isKube: boolean, { internalHost, internalPort }: OperatorOptions): unknown {
  if (!(error instanceof Error)) return error;
  if (isKube) return new CliError(error.message);
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall === "listen" || syscall === "getaddrinfo" ? new CliError(`${internalHost}:${internalPort} cannot be listened on: ${code}`) : error;
}

function electionOf(options: OperatorOptions): { lease: string; leaseMs: number; renewMs: number; retryMs: number } | undefined {
  const { leaderElectionLease: lease, leaseDurationSeconds: held, renewDeadlineSeconds: renew, retryPeriodSeconds: retry } = options;
  if (lease === undefined) return undefined;
  if (held <= renew) throw new CliError(`--lease-duration-seconds (${held}) must be above --renew-deadline-seconds (${renew})`, Exit.USAGE);
  if (renew <= retry) throw new CliError(`--renew-deadline-seconds (${renew}) must be above --retry-period-seconds (${retry})`, Exit.USAGE);
  return { lease, leaseMs: held * 1_000, renewMs: renew * 1_000, retryMs: retry * 1_000 };
}

function parseNamespaces(text: string): readonly string[] | "*" {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("*")) return "*";
  if (names.some((name) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)))
    throw new InvalidArgumentError("Expected names of namespaces parted by commas, or *.");
  return [...new Set(names)];
}

function parsePortNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  if (port > 65_535) throw new InvalidArgumentError("Expected a port from 0 to 65535.");
  return port;
}

const OPERATOR_HELP = `
It finds the Kubernetes API as kubectl does: KUBECONFIG, ~/.kube/config, else the service account of its pod.

SIGTERM, Ctrl-C   ends what is being written, lets go of the Lease, exit 0

Example:
  $ xlvein operator --namespace=push --watch-namespaces=* --leader-election-lease=xlvein-operator \\
      --connect-url=wss://push.example.com/ws/connect --push-url=http://xlvein.push.svc`;
