// `xlvein push`: sends a message to accounts, rooms or everyone through the HTTP API.
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { checkObject } from "../protocol/scan.ts";
import { type Answer, call, parseObject } from "./call.ts";
import { CliError, Exit, type Io } from "./io.ts";
import { apiToken, signedPush } from "./sign.ts";
import { type AppOptions, addAppOptions, addUrlOption, findTarget, type Target, type UrlOptions } from "./target.ts";
import { collectAccounts, collectRooms, needed } from "./values.ts";

interface PushOptions extends AppOptions, UrlOptions {
  account?: string[];
  room?: string[];
  everyone?: true;
  classic?: true;
  idempotencyKey?: string;
  json?: true;
}

export function addPush(program: Command, io: Io): void {
  addUrlOption(addAppOptions(program.command("push").description("push a message to accounts, to rooms or to everyone")))
    .argument("<data>", "a JSON object, or - to read it from standard input")
    .option("-a, --account <account>", "who receives it; may be repeated", collectAccounts)
    .option("-r, --room <room>", "whoever is in it receives it; may be repeated", collectRooms)
    .option("--everyone", "everyone who is connected to the application receives it")
    .option("--classic", "use the classic call with `sign`, one for each account")
    .option("--idempotency-key <key>", "a second push with this key delivers nothing twice")
    .option("--json", "print the server's answer, one line for each call")
    .addHelpText("after", `\nExample:\n  $ xlvein push --app test --account user_1 '{"text":"hi"}'`)
    .action(async (data: string, options: PushOptions) => {
      needed(options.account ?? options.room ?? options.everyone, "--account <account>, --room <room> or --everyone");
      const text = checkData(data === "-" ? await readAll(process.stdin) : data);
      const target = await findTarget(options, io);
      if (options.classic) await pushClassic(target, text, options, io);
      else await pushMessage(target, text, options, io);
    });
}

async function pushMessage(target: Target, data: string, { account, room, everyone, idempotencyKey, json }: PushOptions, io: Io): Promise<void> {
  const envelope = JSON.stringify({ accounts: account, rooms: room, everyone, idempotency_key: idempotencyKey });
  const answer = await call(new URL("/api/v1/messages", target.url).href, {
    method: "POST",
    headers: { authorization: `Bearer ${apiToken(target.app)}`, "content-type": "application/json" },
    // The data stays the text that was typed: numbers beyond 2^53 survive.
    body: `${envelope.slice(0, -1)},"data":${data}}`,
  });
  if (json) io.out(answer.text);
  const { msg_id: msgId, duplicate, code, title, detail } = parseObject(answer.text);
  if (answer.status !== 200) throw refused(answer, code, detail ?? title);
  if (!json) io.out(`pushed ${msgId}${duplicate === true ? " (sent before with this key: not delivered again)" : ""}`);
}

async function pushClassic(target: Target, data: string, { account = [], room, everyone, idempotencyKey, json }: PushOptions, io: Io): Promise<void> {
  if (room !== undefined || everyone) throw new CliError("--classic goes to accounts only: leave out --room and --everyone", Exit.USAGE);
  if (idempotencyKey !== undefined) throw new CliError("--idempotency-key does not go with --classic: its nonce is the key", Exit.USAGE);
  for (const name of account) {
    const answer = await pushSigned(target, name, data);
    if (json) io.out(answer.text);
    else io.out(`pushed to ${name}`);
  }
}

/** One classic push. Throws with the server's code and sentence when it refuses. */
export async function pushSigned({ url, app }: Target, account: string, data: string): Promise<Answer> {
  const answer = await call(new URL("/api/v1/im/push", url).href, { method: "POST", body: signedPush(app, account, data) });
  const { error, message } = parseObject(answer.text);
  if (answer.status !== 200 || error !== 0) throw refused(answer, error, message);
  return answer;
}

function refused(answer: Answer, code: unknown, message: unknown): CliError {
  if (code === undefined) return new CliError(`the server answered ${answer.status} without a reason: is it xlvein?`);
  return new CliError(`the server refused the push: ${message} (HTTP ${answer.status}, code ${code})`);
}

/** The text itself, when it is one JSON object. */
function checkData(text: string): string {
  try {
    checkObject(text, Number.POSITIVE_INFINITY, "data");
    return text;
  } catch (error) {
    throw new CliError(`${(error as Error).message}; expected an object such as {"text":"hi"}`, Exit.USAGE);
  }
}
