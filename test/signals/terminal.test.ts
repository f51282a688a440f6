// A person at a terminal: one line that says where the server is, and Ctrl-C.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BIN, cleanEnv, temporaryFolder } from "../cli/bin.ts";
import { connect } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";

const CTRL_C = "\x03";

/** Passes Ctrl-C on to what it started, which gets it from the terminal as well: so does npm where `sh` replaces itself by the command. */
const RUNNER = `
import { spawn } from "node:child_process";
const child = spawn(process.execPath, process.argv.slice(2), { stdio: "inherit" });
process.on("SIGINT", () => child.kill("SIGINT"));
child.on("exit", (code) => process.exit(code ?? 99));
`;

/** Runs a shell command at a terminal of its own, which `script` makes; what is typed goes to its standard input. */
function atTerminal(t: TestContext, command: string, cwd: string) {
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", `exec ${command}`, "/dev/null"], {
    cwd,
    env: cleanEnv(),
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const ended = once(child, "close").then(([code]) => code as number);
  async function shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(printed);
      if (found) return found;
      await Promise.race([once(child.stdout, "data"), ended.then(() => Promise.reject(new Error(`ended without ${pattern}:\n${printed}`)))]);
    }
  }
  return { child, shows, ended, printed: () => printed };
}

test("the server says where it is, and a Ctrl-C that a runner passes on as well counts once", async (t) => {
  const cwd = await temporaryFolder(t);
  const config = { host: "127.0.0.1:0", internal: { enabled: false }, applications: [{ app_key: "test", app_secret: SECRET }], drain: { window_seconds: 1 } };
  await writeFile(join(cwd, "conf.yaml"), JSON.stringify(config));
  await writeFile(join(cwd, "runner.mjs"), RUNNER);
  const terminal = atTerminal(t, `${process.execPath} runner.mjs ${BIN} start`, cwd);
  const [, url = ""] = await terminal.shows(/^xlvein serves (\S+); Ctrl-C stops it\r?$/m);
  const clients = await Promise.all(["user_1", "user_2", "user_3"].map((account) => connect(t, url, { account })));
  terminal.child.stdin.write(CTRL_C);
  for (const { closed } of clients) assert.equal((await closed).code, 1012);
  assert.equal(await terminal.ended, 0, terminal.printed());
});
