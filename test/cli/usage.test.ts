// What the command line says about itself, and how it refuses what it does not know.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { xlvein, xlveinHere } from "./bin.ts";

const { version } = JSON.parse(readFileSync(new URL("../../server/package.json", import.meta.url), "utf8")) as { version: string };

test("--help lists every command and shows examples", async () => {
  const { code, stdout, stderr } = await xlvein(["--help"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  for (const name of ["start|web", "dev", "token", "url", "push", "listen", "client", "test", "health", "check-config", "print-config", "version"]) {
    assert.match(stdout, new RegExp(`^  ${name.replace("|", "\\|")}[ \\n]`, "m"), name);
  }
  assert.match(stdout, /Examples:\n {2}\$ xlvein dev/);
});

test("every command has a help of its own", async () => {
  for (const name of ["start", "web", "token", "push", "listen"]) {
    const { code, stdout } = await xlveinHere([name, "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: xlvein /);
    assert.match(stdout, /Example:/);
  }
});

test("without a command the help goes to standard error and the exit code is that of a wrong usage", async () => {
  const { code, stdout, stderr } = await xlveinHere([]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /Usage: xlvein/);
});

test("an unknown command is named, with the one that was meant", async () => {
  const { code, stdout, stderr } = await xlveinHere(["strat"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /unknown command 'strat'/);
  assert.match(stderr, /Did you mean start\?/);
});

test("an unknown option is named, with the one that was meant", async () => {
  const { code, stderr } = await xlveinHere(["token", "--acount", "user_1"]);
  assert.equal(code, 2);
  assert.match(stderr, /unknown option '--acount'/);
  assert.match(stderr, /Did you mean --account\?/);
});

test("a missing option, a missing argument and one too many are named", async () => {
  assert.match((await xlveinHere(["token"])).stderr, /--account <account>/);
  assert.match((await xlveinHere(["push", "--account", "user_1"])).stderr, /missing required argument 'data'/);
  const { code, stderr } = await xlveinHere(["version", "now"]);
  assert.equal(code, 2);
  assert.match(stderr, /too many arguments/);
});

test("--version and version print the version of the package", async () => {
  assert.equal((await xlvein(["--version"])).stdout, `${version}\n`);
  assert.match(
    (await xlvein(["version"])).stdout,
    new RegExp(`^xlvein ${version.replaceAll(".", "\\.")} \\(Node\\.js ${process.versions.node.replaceAll(".", "\\.")}, \\w+-\\w+\\)\\n$`),
  );
});

test("version --json is one object for a script", async () => {
  const { code, stdout } = await xlvein(["version", "--json"]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { version, node: process.versions.node, platform: `${process.platform}-${process.arch}` });
});
