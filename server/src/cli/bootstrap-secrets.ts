// `xlvein bootstrap-secrets`: makes the Secrets of an installation on Kubernetes where they are absent; the chart's Job runs it.
import { type Command, InvalidArgumentError } from "commander";
import { CliError, Exit, type Io } from "./io.ts";
import { needed } from "./values.ts";

interface BootstrapOptions {
  namespace?: string;
  redis?: string;
  rabbitmq?: string;
  rabbitmqUsername: string;
  application?: string;
  appKey: string;
  connectUrl?: string;
  pushUrl?: string;
  label?: Readonly<Record<string, string>>;
  json?: true;
}

export function addBootstrapSecrets(program: Command, io: Io): void {
  program
    .command("bootstrap-secrets")
    .description("make Secrets with random passwords on Kubernetes, where they are absent")
    .option("--namespace <name>", "where (default: the pod's, or the kubeconfig's)", parseName)
    .option("--redis <name>", "a Secret with password and auth.conf", parseName)
    .option("--rabbitmq <name>", "a Secret with username, password and default_user.conf", parseName)
    .option("--rabbitmq-username <user>", "the user of --rabbitmq", "xlvein")
    .option("--application <name>", "a Secret with an application's key and secret, and applications.json", parseName)
    .option("--app-key <key>", "the key of --application", "default")
    .option("--connect-url <url>", "what --application says that clients connect to", parseUrl)
    .option("--push-url <url>", "what --application says that backends push to", parseUrl)
    .option("--label <key=value>", "on each of them; may be repeated", collectLabel)
    .option("--json", "print [{name, outcome}]")
    .addHelpText("after", BOOTSTRAP_HELP)
    .action((options: BootstrapOptions) => bootstrapSecrets(options, io));
}

async function bootstrapSecrets(options: BootstrapOptions, io: Io): Promise<void> {
  if (options.redis === undefined && options.rabbitmq === undefined && options.application === undefined)
    throw new CliError("name at least one of --redis, --rabbitmq, --application", Exit.USAGE);
  const application = options.application === undefined ? undefined : { name: options.application, ...applicationOf(options) };
  // Loaded here: it takes 50 MB, and most commands do without it.
  const { bootstrap, connect, createKube, KubeError, ownNamespace, planBootstrap } = await import("../operator/entry.ts");
  try {
    const config = connect();
    const secrets = planBootstrap({
      namespace: options.namespace ?? ownNamespace(config, io.env),
      redis: options.redis,
      rabbitmq: options.rabbitmq === undefined ? undefined : { name: options.rabbitmq, username: options.rabbitmqUsername },
      application,
      labels: options.label ?? {},
    });
    const done = await bootstrap(createKube(config), secrets);
    if (options.json) io.out(JSON.stringify(done));
    else for (const { name, outcome } of done) io.out(`Secret ${name}: ${outcome === "created" ? "created" : "there already, left as it is"}`);
  } catch (error) {
    throw error instanceof KubeError ? new CliError(error.message) : error;
  }
}

function applicationOf({ appKey, connectUrl, pushUrl }: BootstrapOptions): { appKey: string; connectUrl: string; pushUrl: string } {
  return { appKey, connectUrl: needed(connectUrl, "--connect-url"), pushUrl: needed(pushUrl, "--push-url") };
}

/** A name that Kubernetes takes for an object. */
export function parseName(text: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) throw new InvalidArgumentError("Expected a name: lower-case letters, digits, - and .");
  return text;
}

/** An address with its scheme. */
export function parseUrl(text: string): string {
  if (!/^(wss?|https?):\/\/[^/]/.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError("Expected an address such as wss://push.example.com/ws/connect.");
  return text;
}

function collectLabel(text: string, previous: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key, value] = /^([\w./-]+)=([\w.-]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("Expected a key and a value: app.kubernetes.io/part-of=xlvein.");
  return { ...previous, [key]: value };
}

const BOOTSTRAP_HELP = `
A Secret that exists is never changed; one that lacks a key ends the command with 1. The rights needed are create, and get of these names.

Example:
  $ xlvein bootstrap-secrets --namespace=push --redis=xlvein-redis --application=xlvein-default-application \\
      --connect-url=wss://push.example.com/ws/connect --push-url=http://xlvein.push.svc`;
