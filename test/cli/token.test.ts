// `xlvein token` and `xlvein url`: where they find application, secret and server, and what they print.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import jwt from "jsonwebtoken";
import { verifyConnectToken } from "../../server/src/auth/connect-token.ts";
import { makeApp, makeSecret } from "../auth/apps.ts";
import { temporaryFolder, xlvein, xlveinHere } from "./bin.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const OTHER = "fedcba9876543210fedcba9876543210";
const DAY = 86_400;

function claims(token: string, secret = SECRET, algorithm: jwt.Algorithm = "HS256"): { sub: string; exp: number } {
  return jwt.verify(token.trim(), secret, { algorithms: [algorithm] }) as { sub: string; exp: number };
}

async function folderWith(t: TestContext, applications: unknown, more: object = {}): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "conf.yaml"), JSON.stringify({ host: "0.0.0.0:9123", applications, ...more }));
  return folder;
}

test("a token names the account, is signed by the secret given and lasts 30 days", async () => {
  const { code, stdout, stderr } = await xlvein(["token", "--app", "test", "--account", "用户 & 1", "--secret", SECRET]);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  const { sub, exp } = claims(stdout);
  assert.equal(sub, "用户 & 1");
  assert.ok(Math.abs(exp - Date.now() / 1000 - 30 * DAY) < 60);
});

test("--json adds what a script needs to know about the token", async () => {
  const { stdout } = await xlveinHere(["token", "--app", "test", "--account", "user_1", "--secret", SECRET, "--expires", "12h", "--json"]);
  const { token, ...rest } = JSON.parse(stdout) as { token: string; expires_at: number };
  assert.deepEqual(rest, { app_key: "test", account: "user_1", expires_at: claims(token).exp });
  assert.ok(Math.abs(rest.expires_at - Date.now() / 1000 - DAY / 2) < 60);
});

test("a token may open rooms and say what its client may do, as the server reads it", async () => {
  const app = makeApp({ secrets: [makeSecret(SECRET)] });
  const mint = async (...more: string[]) => {
    const { code, stdout, stderr } = await xlveinHere(["token", "--app", "test", "--account", "user_1", "--secret", SECRET, ...more]);
    assert.deepEqual([code, stderr], [0, ""]);
    return verifyConnectToken(app, stdout.trim(), { nowMs: Date.now(), maxBytes: 4_096 });
  };
  const { rights, rooms } = await mint("--room", "chat:1", "--room", "news:*", "--can", "history, direct");
  assert.deepEqual([rights, rooms.named], [new Set(["direct", "history"]), ["chat:1"]]);
  assert.ok(rooms.opens("news:de") && !rooms.opens("chat:2"));
  assert.deepEqual((await mint("--can", "")).rights, new Set());
  const plain = await mint();
  assert.deepEqual([plain.rights, plain.rooms.named], [app.clientRights, []]);
});

test("a token without such options has no such claims", async () => {
  const { stdout } = await xlveinHere(["token", "--app", "test", "--account", "user_1", "--secret", SECRET]);
  assert.deepEqual(Object.keys(claims(stdout)).sort(), ["exp", "iat", "sub"]);
});

test("application and secret come from the environment too", async () => {
  const { stdout } = await xlveinHere(["token", "--account", "user_1"], { env: { XLVEIN_APP_KEY: "test", XLVEIN_APP_SECRET: SECRET } });
  assert.equal(claims(stdout).sub, "user_1");
});

test("the secret may stand in a file that the environment names", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "secret"), `${SECRET}\n`);
  const env = { XLVEIN_APP_KEY: "test", XLVEIN_APP_SECRET_FILE: "secret" };
  assert.equal(claims((await xlveinHere(["token", "--account", "user_1"], { cwd, env })).stdout).sub, "user_1");
  const { code, stderr } = await xlveinHere(["token", "--account", "user_1"], { env });
  assert.equal(code, 1);
  assert.match(stderr, /XLVEIN_APP_SECRET_FILE: secret cannot be read \(ENOENT\)/);
});

test("the only application of the configuration here needs no name", async (t) => {
  const cwd = await folderWith(t, [{ app_key: "shop", app_secret: SECRET }]);
  assert.equal(claims((await xlveinHere(["token", "--account", "user_1"], { cwd })).stdout).sub, "user_1");
});

test("the algorithm and the secret that is still accepted are the application's", async (t) => {
  const secrets = [
    { id: "old", secret: OTHER, not_after: "2020-01-01T00:00:00Z" },
    { id: "new", secret: SECRET },
  ];
  const cwd = await folderWith(t, [{ app_key: "shop", secrets, algorithms: ["HS512"] }]);
  assert.equal(claims((await xlveinHere(["token", "--account", "user_1"], { cwd })).stdout, SECRET, "HS512").sub, "user_1");
});

test("a file named with --config counts wherever the command runs", async (t) => {
  const folder = await folderWith(t, [{ app_key: "shop", app_secret: SECRET }]);
  const { stdout } = await xlveinHere(["token", "--account", "user_1", "--config", join(folder, "conf.yaml")]);
  assert.equal(claims(stdout).sub, "user_1");
});

test("of several applications one must be named, and a slip is shown beside what was meant", async (t) => {
  const cwd = await folderWith(t, [
    { app_key: "test", app_secret: SECRET },
    { app_key: "shop", app_secret: OTHER },
  ]);
  const unnamed = await xlveinHere(["token", "--account", "user_1"], { cwd });
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.stderr, /--app is needed: there are test, shop/);
  const slip = await xlveinHere(["token", "--account", "user_1", "--app", "shpo"], { cwd });
  assert.equal(slip.code, 1);
  assert.match(slip.stderr, /no application shpo is configured; did you mean shop\?/);
  assert.match(
    (await xlveinHere(["token", "--account", "user_1", "--app", "bank"], { cwd })).stderr,
    /no application bank is configured; there are test, shop/,
  );
  assert.equal(claims((await xlveinHere(["token", "--account", "user_1", "--app", "shop"], { cwd })).stdout, OTHER).sub, "user_1");
});

test("without any configuration the command says what to name", async () => {
  const nothing = await xlveinHere(["token", "--account", "user_1"]);
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /no application is configured here: name one with --app and --secret, or its file with --config/);
  const noApp = await xlveinHere(["token", "--account", "user_1", "--secret", SECRET]);
  assert.equal(noApp.code, 2);
  assert.match(noApp.stderr, /--app is needed beside a secret/);
});

test("a configuration at fault is told with file, line and key, without a stack", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "conf.yaml"), "host: ':8090'\nlimits:\n  frame_byte: 10\n");
  const { code, stdout, stderr } = await xlveinHere(["token", "--account", "user_1"], { cwd });
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /conf\.yaml:3: limits\.frame_byte: unknown key; did you mean limits\.frame_bytes\?/);
  assert.doesNotMatch(stderr, /^ +at /m);
});

test("an empty account, an empty secret, a duration of no length, and rooms and rights that are none are refused by name", async () => {
  const refusals: [string[], RegExp][] = [
    [["--account", "", "--secret", SECRET], /--account <account>.*1 to 4096 characters/],
    [["--account", "a", "--secret", ""], /the secret is empty/],
    [["--account", "a", "--secret", SECRET, "--expires", "0s"], /--expires <duration>.*90s, 15m, 12h or 30d/],
    [["--account", "a", "--secret", SECRET, "--expires", "soon"], /'soon'/],
    [["--account", "a", "--secret", SECRET, "--room", ""], /--room <pattern>.*1 to 256 characters/],
    [["--account", "a", "--secret", SECRET, "--room", "a".repeat(257)], /--room <pattern>.*1 to 256 characters/],
    [["--account", "a", "--secret", SECRET, ...Array.from({ length: 101 }, (_, i) => [`--room`, `r${i}`]).flat()], /at most 100/],
    [["--account", "a", "--secret", SECRET, "--can", "direct,histroy"], /--can <words>.*direct, publish, history.*Did you mean history\?/],
  ];
  for (const [args, message] of refusals) {
    const { code, stdout, stderr } = await xlveinHere(["token", "--app", "test", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, message);
  }
});

test("a connect URL goes to the address of the configuration, and a wildcard address means this machine", async (t) => {
  const cwd = await folderWith(t, [{ app_key: "a b&c", app_secret: SECRET }]);
  const { stdout, stderr } = await xlveinHere(["url", "--account", "user_1"], { cwd });
  const url = new URL(stdout.trim());
  assert.equal(url.origin, "ws://127.0.0.1:9123", stderr);
  assert.equal(url.pathname, "/ws/connect");
  assert.equal(url.searchParams.get("app_id"), "a b&c");
  assert.equal(claims(url.searchParams.get("token") ?? "").sub, "user_1");
});

test("a connect URL for a server with TLS, or one named with --url or XLVEIN_URL, says so", async (t) => {
  const options = ["url", "--app", "test", "--account", "user_1", "--secret", SECRET];
  const folder = await folderWith(t, [], { tls: { cert: "cert.pem", key: "key.pem" } });
  assert.match((await xlveinHere(options, { cwd: folder })).stdout, /^wss:\/\/127\.0\.0\.1:9123\/ws\/connect\?/);
  assert.match((await xlveinHere([...options, "--url", "https://push.example.com"])).stdout, /^wss:\/\/push\.example\.com\/ws\/connect\?/);
  assert.match((await xlveinHere(options, { env: { XLVEIN_URL: "ws://10.0.0.1:81/x" } })).stdout, /^ws:\/\/10\.0\.0\.1:81\/ws\/connect\?/);
  assert.match((await xlveinHere(options)).stdout, /^ws:\/\/127\.0\.0\.1:8090\//);
  const { url, ...rest } = JSON.parse((await xlveinHere([...options, "--json"])).stdout) as {
    url: string;
    app_key: string;
    account: string;
    expires_at: number;
  };
  assert.deepEqual(rest, { app_key: "test", account: "user_1", expires_at: claims(new URL(url).searchParams.get("token") ?? "").exp });
});

test("a URL that is none, and a port that only the server knows, are told", async (t) => {
  const options = ["url", "--app", "test", "--account", "user_1", "--secret", SECRET];
  const bad = await xlveinHere([...options, "--url", "push.example.com"]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /--url: push\.example\.com is not a URL such as http:\/\/127\.0\.0\.1:8090/);
  const cwd = await folderWith(t, [], { host: "127.0.0.1:0" });
  const unknown = await xlveinHere(options, { cwd });
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /leaves the port to the system \(0\): name the server with --url/);
});
