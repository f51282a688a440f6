// `xlvein token`: a connect token for an account.
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { connectToken } from "./sign.ts";
import { type AppOptions, addAppOptions, findApp } from "./target.ts";
import { expiresOption, needed, parseAccount } from "./values.ts";

interface TokenOptions extends AppOptions {
  account?: string;
  expires: number;
  json?: true;
}

export function addToken(program: Command, io: Io): void {
  addAppOptions(program.command("token").description("print a connect token for an account"))
    .option("-a, --account <account>", "whom the token names", parseAccount)
    .addOption(expiresOption())
    .option("--json", "print {token, app_key, account, expires_at}")
    .addHelpText("after", "\nExample:\n  $ xlvein token --app test --account user_1 --expires 12h")
    .action(async ({ expires, json, ...options }: TokenOptions) => {
      const account = needed(options.account, "--account <account>");
      const app = await findApp(options, io);
      const { token, expiresAt } = connectToken(app, account, expires);
      io.out(json ? JSON.stringify({ token, app_key: app.key, account, expires_at: expiresAt }) : token);
    });
}
