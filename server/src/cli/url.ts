// `xlvein url`: an address that a browser or any WebSocket client can open as it is.
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { connectToken } from "./sign.ts";
import { type AppOptions, addAppOptions, addUrlOption, type CliApp, findTarget, type UrlOptions } from "./target.ts";
import { expiresOption, needed, parseAccount } from "./values.ts";

interface ConnectUrlOptions extends AppOptions, UrlOptions {
  account?: string;
  expires: number;
  json?: true;
}

/** `ws://HOST/ws/connect?app_id=…&token=…` for a server at `url`. */
export function connectUrl(url: string, app: CliApp, token: string): string {
  const address = new URL("/ws/connect", url);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.search = new URLSearchParams({ app_id: app.key, token }).toString();
  return address.href;
}

export function addUrl(program: Command, io: Io): void {
  addUrlOption(addAppOptions(program.command("url").description("print a connect URL for an account")))
    .option("-a, --account <account>", "who connects", parseAccount)
    .addOption(expiresOption())
    .option("--json", "print {url, app_key, account, expires_at}")
    .addHelpText("after", "\nExample:\n  $ xlvein url --app test --account user_1 --url https://push.example.com")
    .action(async ({ expires, json, ...options }: ConnectUrlOptions) => {
      const account = needed(options.account, "--account <account>");
      const { app, url } = await findTarget(options, io);
      const { token, expiresAt } = connectToken(app, account, expires);
      const address = connectUrl(url, app, token);
      io.out(json ? JSON.stringify({ url: address, app_key: app.key, account, expires_at: expiresAt }) : address);
    });
}
