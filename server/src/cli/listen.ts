// `xlvein listen`: connects as an account and prints what arrives. `xlvein client` does so as the original's client did.
import { type ClientRequest, type IncomingMessage, STATUS_CODES } from "node:http";
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import WebSocket from "ws";
import { scanObject } from "../protocol/scan.ts";
import { parseObject, unreachable } from "./call.ts";
import { CliError, type Io } from "./io.ts";
import { connectToken } from "./sign.ts";
import { type AppOptions, addAppOptions, addUrlOption, findTarget, type UrlOptions } from "./target.ts";
import { connectUrl } from "./url.ts";
import { needed, parseAccount, parseCount } from "./values.ts";

const TOKEN_SECONDS = 86_400;
const CONNECT_TIMEOUT_MS = 10_000;
/** When `client` sends itself a message, as the original did. */
const CLIENT_SENDS_AFTER_MS = 5_000;

interface ListenOptions extends AppOptions, UrlOptions {
  account?: string;
  count?: number;
  json?: true;
}

export function addListen(program: Command, io: Io): void {
  addListenOptions(program.command("listen").description("connect as an account and print each message"))
    .option("-a, --account <account>", "who connects", parseAccount)
    .addHelpText("after", "\nExample:\n  $ xlvein listen --app test --account user_1 --json")
    .action((options: ListenOptions) => listen(options, io));
}

export function addClient(program: Command, io: Io): void {
  addListenOptions(program.command("client").description("listen as user_1 of app test, and send itself a message after 5 s"))
    .option("-a, --account <account>", "who connects", parseAccount, "user_1")
    .action((options: ListenOptions) => listen({ ...options, app: options.app ?? "test" }, io, greetItself));
}

function addListenOptions(command: Command): Command {
  return addUrlOption(addAppOptions(command))
    .option("-n, --count <number>", "end after this many messages", parseCount)
    .option("--json", "print each frame as it came, one line each, and nothing else");
}

function greetItself(socket: WebSocket, account: string): void {
  const timer = setTimeout(() => socket.send(JSON.stringify({ to: account, data: { text: `hello from ${account}` } })), CLIENT_SENDS_AFTER_MS);
  socket.once("close", () => clearTimeout(timer));
}

async function listen(options: ListenOptions, io: Io, onOpen?: (socket: WebSocket, account: string) => void): Promise<void> {
  const account = needed(options.account, "--account <account>");
  const { app, url } = await findTarget(options, io);
  const socket = await connect(connectUrl(url, app, connectToken(app, account, TOKEN_SECONDS).token));
  const closed = printUntilClosed(socket, options, io);
  if (!options.json) io.err(`connected to ${url} as ${account} of ${app.key}; Ctrl-C ends`);
  onOpen?.(socket, account);
  await closed;
}

/** Resolves with the open socket, paused so that no message is lost. Throws the server's own reason when it refuses. */
function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { handshakeTimeout: CONNECT_TIMEOUT_MS });
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.pause();
      resolve(socket);
    });
    socket.once("error", (error) => reject(new CliError(unreachable(url, error))));
    socket.once("unexpected-response", (_: ClientRequest, response: IncomingMessage) => {
      // Kept: the response lets go of it at its end, and an open one would keep the process.
      const { socket: tcp } = response;
      refusalOf(response)
        .then(reject, reject)
        .finally(() => tcp.destroy());
    });
  });
}

async function refusalOf(response: IncomingMessage): Promise<CliError> {
  const { error, message } = parseObject(await readAll(response));
  const status = response.statusCode ?? 0;
  if (error === undefined) return new CliError(`the server answered ${status} ${STATUS_CODES[status]}: is it xlvein?`);
  return new CliError(`the server refused the connection: ${message} (HTTP ${status}, code ${error})`);
}

/** Resolves when the person or the count ends it; throws when the server does. */
function printUntilClosed(socket: WebSocket, { count = Number.POSITIVE_INFINITY, json }: ListenOptions, io: Io): Promise<void> {
  let left = count;
  let ended = false;
  const end = () => {
    ended = true;
    socket.close(1000);
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  socket.on("message", (data) => {
    if (left === 0) return;
    io.out(json ? String(data) : describe(String(data)));
    if (--left === 0) end();
  });
  return new Promise((resolve, reject) => {
    socket.on("error", (error) => reject(new CliError(`the connection failed: ${error.message}`)));
    socket.on("close", (code, reason) => {
      process.off("SIGINT", end).off("SIGTERM", end);
      if (ended) resolve();
      else reject(new CliError(`the server closed the connection: ${code}${reason.length > 0 ? ` ${reason}` : ""}`));
    });
    socket.resume();
  });
}

/** `12:34:56.789Z user_2: {"text":"hi"}`, the data as it was sent. */
function describe(frame: string): string {
  const { from, send_at: sentAt } = parseObject(frame);
  const data = scanObject(frame, Number.POSITIVE_INFINITY, "frame").get("data");
  const time = typeof sentAt === "number" ? new Date(sentAt).toISOString().slice(11) : "";
  return `${time} ${from || "backend"}: ${data ? frame.slice(data.start, data.end) : ""}`;
}
