// `xlvein test`: prints a connect URL for a tab to open, and pushes the sample message to it.
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { pushSigned } from "./push.ts";
import { connectToken } from "./sign.ts";
import { type AppOptions, addAppOptions, addUrlOption, findTarget, type UrlOptions } from "./target.ts";
import { connectUrl } from "./url.ts";
import { DEFAULT_EXPIRES, parseAccount } from "./values.ts";

const SAMPLE = '{"text":"123123123123123"}';

interface TestOptions extends AppOptions, UrlOptions {
  account: string;
}

export function addTest(program: Command, io: Io): void {
  addUrlOption(addAppOptions(program.command("test").description("print a connect URL for user_1 of app test, and push a sample message to it")))
    .option("-a, --account <account>", "who receives it", parseAccount, "user_1")
    .addHelpText("after", "\nOpen the URL with any WebSocket client, then run the command again: the message arrives there.")
    .action(async (options: TestOptions) => {
      const target = await findTarget({ ...options, app: options.app ?? "test" }, io);
      io.out(connectUrl(target.url, target.app, connectToken(target.app, options.account, DEFAULT_EXPIRES).token));
      await pushSigned(target, options.account, SAMPLE);
      io.out(`pushed ${SAMPLE} to ${options.account}`);
    });
}
