// What docs/ and PROTOCOL.md show beside the README: the Go service's file, the curl lines, a refused handshake, reload and health.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "../helpers/client.ts";
import { startProcess } from "../helpers/process.ts";
import { codeBlocks, ROOT, readDocument, section } from "./markdown.ts";
import { DOCUMENTED_URL, run, startSample } from "./run.ts";

const XLVEIN = `"${process.execPath}" server/bin/xlvein.js`;
const SAMPLE = "j8jasd98efan9sdfj89asjdf";
const { url } = await startSample({ after: (end) => after(end as () => unknown) });

/** Every key of the Go service's file, and two of its neighbours. */
const CLASSIC_FILE = `debug: true
app: "xlvein"
host: ":0"
mysql: "user:password@tcp(127.0.0.1:3306)/app"
redis: {addr: "127.0.0.1:6379"}
exchange:
  type: "local"
  exchange_name: "xlvein.im"
  queue_name: "xlvein.im.queue"
  rabbitmq: "amqp://xlvein:WFxg5FNMedN@T$z@127.0.0.1:5672/vein"
  redis: "127.0.0.1:6379"
applications:
  - {app_key: "test",  app_secret: "${SAMPLE}"}
  - {app_key: "test2", app_secret: "${SAMPLE}"}
`;

async function classicFile(t: { after(end: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "conf.yml");
  await writeFile(file, CLASSIC_FILE);
  return file;
}

test("docs/migrating.md: the Go service's file is taken, with a warning for each key that is not used", async (t) => {
  const file = await classicFile(t);
  const checked = await run(t, `${XLVEIN} check-config --config ${file} --json`).output;
  const { ok, findings } = JSON.parse(checked) as { ok: boolean; findings: { key: string; line?: number }[] };
  assert.equal(ok, true);
  for (const [key, line] of [
    ["mysql", 4],
    ["redis", 5],
  ] as const)
    assert.ok(
      findings.some((finding) => finding.key === key && finding.line === line),
      `${key}: ${checked}`,
    );
});

test("docs/migrating.md: `check-config --strict` refuses the sample secret", async (t) => {
  const file = await classicFile(t);
  await assert.rejects(run(t, `${XLVEIN} check-config --strict --config ${file}`).output, /published sample secret/);
});

test("docs/migrating.md: a server started from that file takes a signed push, and says loudly that its secret is public", async (t) => {
  const server = await startProcess(t, { file: await classicFile(t) }, { XLVEIN_INTERNAL_PORT: "0", XLVEIN_HOST: ":0" });
  const reached = server.url.replace("0.0.0.0", "127.0.0.1");
  const client = await connect(t, reached, { app: "test2", secret: SAMPLE });
  await run(t, `examples/classic/push.sh user_1 '{"text":"123123123123123"}'`, { URL: reached, APP_KEY: "test2" }).output;
  assert.deepEqual((await client.next()).data, { text: "123123123123123" });
  await server.line(/published sample secret/);
});

test("PROTOCOL.md, Connect: the curl line shows the status and the body of a refused handshake", async (t) => {
  const line = codeBlocks(section(readDocument("PROTOCOL.md"), "Connect")).find(({ language }) => language === "sh")?.text ?? assert.fail("no curl line");
  const answer = await run(t, line.replace(DOCUMENTED_URL, url)).output;
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.match(answer, /\{"error":1000,"message":"[^"]+"\}$/);
});

test("docs/configuration.md: saving the file changes the applications, and /-/config shows the revision", async (t) => {
  const server = await startProcess(t, { applications: [{ app_key: "test", app_secret: "x".repeat(32) }] });
  const client = await connect(t, server.url, { secret: "x".repeat(32) });
  const content = JSON.parse(await readFile(server.file, "utf8")) as Record<string, unknown>;
  await writeFile(
    server.file,
    JSON.stringify({ ...content, applications: { revision: "2", applications: [{ app_key: "other", app_secret: "y".repeat(32) }] } }),
  );
  assert.equal((await client.closed).code, 4003);
  assert.deepEqual(await (await fetch(`${server.internalUrl}/-/config`)).json(), { revision: "2" });
});

test("docs/operations.md: every path of the internal listener answers, and the checks are those it names", async (t) => {
  const server = await startProcess(t);
  const operations = section(readDocument("docs/operations.md"), "Health");
  for (const [, path = ""] of operations.matchAll(/^\| `(\/[^`]+)`/gm)) assert.equal((await fetch(server.internalUrl + path)).status, 200, path);
  const verbose = await (await fetch(`${server.internalUrl}/readyz?verbose`)).text();
  const checks = [...verbose.matchAll(/^\[\+\](\S+) ok$/gm)].map(([, name = ""]) => name);
  const named = [...(/The checks: (.*)\./.exec(operations)?.[1] ?? "").matchAll(/`([a-z-]+)`(?= \(|,)/g)].map(([, name = ""]) => name);
  assert.deepEqual(named.toSorted(), checks.toSorted());
  assert.match(await run(t, `${XLVEIN} health --url ${server.internalUrl} --ready`).output, /readyz check passed/);
});

test("docs/operations.md names every log event that the sources write, and no other", async () => {
  const sources = await Promise.all(globSync("server/src/**/*.ts", { cwd: ROOT }).map((file) => readFile(join(ROOT, file), "utf8")));
  const written = new Set(sources.flatMap((text) => [...text.matchAll(/event: "([^"]+)"/g)].map(([, event = ""]) => event)));
  const rows = section(readDocument("docs/operations.md"), "Logs")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const named = rows.flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, event = ""]) => event));
  assert.ok(named.length > 10);
  assert.deepEqual(named.toSorted(), [...written].toSorted());
});
