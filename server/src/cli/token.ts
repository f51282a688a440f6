// `xlvein token`: a connect token for an account.
import type { Command } from "commander";
import type { Right } from "../apps/app.ts";
import type { Io } from "./io.ts";
import { connectToken } from "./sign.ts";
import { type AppOptions, addAppOptions, findApp } from "./target.ts";
import { collectPatterns, expiresOption, needed, parseAccount, parseRights } from "./values.ts";

interface TokenOptions extends AppOptions {
  account?: string;
  expires: number;
  room?: string[];
  can?: Right[];
  json?: true;
}

export function addToken(program: Command, io: Io): void {
  addAppOptions(program.command("token").description("print a connect token for an account"))
    .option("-a, --account <account>", "whom the token names", parseAccount)
    .addOption(expiresOption())
    .option("-r, --room <pattern>", "a room that the client may enter, * standing for any characters; may be repeated", collectPatterns)
    .option("--can <words>", 'what the client may do: direct, publish, history, parted by commas; "" is nothing', parseRights)
    .option("--json", "print {token, app_key, account, expires_at}")
    .addHelpText(
      "after",
      "\nExample:\n  $ xlvein token --app test --account user_1 --expires 12h\n  $ xlvein token --app test --account user_1 --room chat:1 --room 'news:*' --can history",
    )
    .action(async ({ expires, room, can, json, ...options }: TokenOptions) => {
      const account = needed(options.account, "--account <account>");
      const app = await findApp(options, io);
      const { token, expiresAt } = connectToken(app, account, expires, { rooms: room, can });
      io.out(json ? JSON.stringify({ token, app_key: app.key, account, expires_at: expiresAt }) : token);
    });
}
