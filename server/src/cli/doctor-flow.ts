// `xlvein doctor --flow`: a message's way through a running server, and what its internal listener says. One line per step.
import { randomBytes } from "node:crypto";
import type { App } from "../apps/app.ts";
import { parseObject } from "./call.ts";
import { ask, type Frame, type Visit, visit } from "./doctor-ask.ts";
import type { Report } from "./doctor-report.ts";
import { apiToken, connectToken, signedPush } from "./sign.ts";
import { type CliApp, usable } from "./target.ts";

const TOKEN_SECONDS = 300;

export interface FlowOptions {
  /** `http://host:port` or `https://…` for clients and backends. */
  readonly url: string;
  /** The internal listener; `undefined`: it is not asked. */
  readonly internalUrl: string | undefined;
  readonly apps: Iterable<App>;
  readonly insecure: boolean;
  readonly report: Report;
}

/** Runs every step; the report says how each has ended. */
export async function runFlow(options: FlowOptions): Promise<void> {
  const { apps, internalUrl, insecure, report } = options;
  const app = chooseApp(apps);
  if (app) await report.all(() => sendThrough(app, options));
  else report.note("applications", "none is enabled: no message is sent");
  if (internalUrl === undefined) return report.note("internal", "no internal listener is named (--internal-url): health and metrics are not asked");
  await report.step("ready", () => askReady(internalUrl, insecure));
  await report.step("metrics", () => askMetrics(internalUrl, insecure));
}

/** The first that is enabled, of those whose backends may prove themselves. */
function chooseApp(apps: Iterable<App>): App | undefined {
  const enabled = [...apps].filter((app) => app.enabled);
  return enabled.find(({ pushAuth }) => pushAuth.has("bearer")) ?? enabled.find(({ pushAuth }) => pushAuth.has("sign")) ?? enabled[0];
}

/** Each step throws when it fails, which ends this. */
async function sendThrough(configured: App, { url, insecure, report }: FlowOptions): Promise<void> {
  const account = `xlvein-doctor-${randomBytes(6).toString("hex")}`;
  let app: CliApp | undefined;
  let token = "";
  await report.need("token", async () => {
    app = usable(configured);
    token = connectToken(app, account, TOKEN_SECONDS).token;
    return `for ${account} of application ${app.key}`;
  });
  if (!app) return;
  const client = createClient({ url, app, account, token, insecure, pushAuth: configured.pushAuth });
  try {
    await report.need("connect", client.connect);
    await report.need("push and receive", client.pushAndReceive);
    await report.need("push while away", client.pushWhileAway);
    await report.need("come back", client.comeBack);
  } finally {
    client.close();
  }
}

interface ClientOptions {
  readonly url: string;
  readonly app: CliApp;
  readonly account: string;
  readonly token: string;
  readonly insecure: boolean;
  readonly pushAuth: App["pushAuth"];
}

/** The steps of one client; each resolves with what is to be said of it. */
function createClient({ url, app, account, token, insecure, pushAuth }: ClientOptions) {
  let live: Visit | undefined;
  let recoverable = false;
  /** Of the last message received, as a connect URL takes it; `undefined` where no store gave it a place. */
  let position: string | undefined;
  let missed = "";

  async function open(query: Record<string, string>): Promise<Frame> {
    const address = new URL("/ws/connect", url);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    address.search = new URLSearchParams({ app_id: app.key, ...query }).toString();
    live = visit(address.href, token, insecure);
    return live.next("hello", ({ op }) => op === "hello");
  }

  async function push(text: string): Promise<string> {
    const bearer = pushAuth.has("bearer") || !pushAuth.has("sign");
    const { status, text: body } = bearer
      ? await ask(`${url}/api/v1/messages`, {
          method: "POST",
          headers: { authorization: `Bearer ${apiToken(app)}`, "content-type": "application/json" },
          body: JSON.stringify({ accounts: [account], data: { text } }),
          insecure,
        })
      : await ask(`${url}/api/v1/im/push`, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: signedPush(app, account, JSON.stringify({ text })).toString(),
          insecure,
        });
    const { error = 0, code, message, detail, title } = parseObject(body);
    if (status !== 200 || error !== 0)
      throw new Error(`the server refused the push: ${message ?? detail ?? title ?? "without a reason"} (HTTP ${status}, code ${code ?? error})`);
    return bearer ? "with a bearer token" : "with a sign";
  }

  async function receive(text: string): Promise<Frame> {
    if (!live) throw new Error("not connected");
    return live.next("the message", ({ op, data }) => op === undefined && textOf(data) === text);
  }

  return {
    async connect() {
      const startMs = performance.now();
      const hello = await open({});
      recoverable = hello.recoverable === true;
      return `to ${url} in ${tookMs(startMs)} ms; xlvein ${hello.server_version}`;
    },
    async pushAndReceive() {
      const text = randomBytes(6).toString("hex");
      const startMs = performance.now();
      const proof = await push(text);
      const { epoch, offset, msg_id: id } = await receive(text);
      position = epoch === undefined ? undefined : `${epoch}:${offset}:${id}`;
      return `${proof}, ${tookMs(startMs)} ms from push to receipt`;
    },
    async pushWhileAway() {
      live?.cut();
      missed = randomBytes(6).toString("hex");
      await push(missed);
      return "the connection was cut, then a message pushed";
    },
    async comeBack() {
      const { streams } = await open(position === undefined ? {} : { account_position: position });
      if (!recoverable || position === undefined) return "connected; nothing is recovered, because there is no store (recoverable: false)";
      const { account: stream } = streams as { account: { recovered?: boolean; reason?: string } };
      if (stream.recovered !== true) throw new Error(`the message was not recovered: ${stream.reason ?? "without a reason"}`);
      const first = await live?.next("the missed message", ({ op }) => op === undefined);
      if (textOf(first?.data) !== missed) throw new Error("the first message recovered is not the one that was missed");
      return "recovered exactly the message that was missed";
    },
    close: () => live?.cut(),
  };
}

function textOf(data: unknown): unknown {
  return typeof data === "object" && data !== null ? (data as { text?: unknown }).text : undefined;
}

function tookMs(startMs: number): string {
  return (performance.now() - startMs).toFixed(0);
}

async function askReady(internalUrl: string, insecure: boolean): Promise<string> {
  const { status, text } = await ask(new URL("/readyz?verbose", internalUrl).href, { insecure });
  if (status !== 200) throw new Error(`/readyz answered ${status}: ${text.trim().replaceAll("\n", "; ")}`);
  return `${internalUrl} wants traffic`;
}

async function askMetrics(internalUrl: string, insecure: boolean): Promise<string> {
  const { status, text } = await ask(new URL("/metrics", internalUrl).href, { insecure });
  if (status !== 200) throw new Error(`/metrics answered ${status}`);
  const version = /^xlvein_build_info\{version="([^"]*)"\} 1$/m.exec(text)?.[1];
  if (version === undefined) throw new Error("/metrics has no xlvein_build_info: is it xlvein?");
  if (!/^# TYPE xlvein_connections gauge$/m.test(text)) throw new Error("/metrics has no xlvein_connections");
  const connections = [...text.matchAll(/^xlvein_connections\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  return `xlvein ${version}, ${connections} connections on the server that answered`;
}
