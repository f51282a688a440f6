// HTTP that no honest client sends.
import assert from "node:assert/strict";
import { type Case, handshake, readUntil, statusOf, target } from "./case.ts";

/** Bytes to which the server answers with one of the statuses; 0 is a close without an answer. */
function answered(name: string, statuses: readonly number[], bytes: string | Buffer): Case {
  return {
    name: `http: ${name} answers ${statuses.join(" or ")}`,
    async run(attack) {
      const socket = attack.tcp();
      socket.write(bytes);
      const got = await statusOf(socket);
      assert.ok(statuses.includes(got), `answered ${got}`);
    },
  };
}

const CRLF = "\r\n";
const get = (path: string, extra = "") => `GET ${path} HTTP/1.1${CRLF}Host: h${CRLF}${extra}${CRLF}`;
const post = (headers: string, body = "") => `POST /api/v1/im/push HTTP/1.1${CRLF}Host: h${CRLF}Content-Type: application/json${CRLF}${headers}${CRLF}${body}`;

export const http: Case[] = [
  answered("garbage", [400], "\x00\x01\x02\x03\r\n\r\n"),
  answered("a lone newline and garbage", [400], "\n\n\ngarbage\r\n\r\n"),
  answered("a TLS ClientHello on a plain port", [400], Buffer.from("16030100a5010000a1030300000000000000000000000000000000", "hex")),
  answered("the HTTP/2 preface", [400, 505], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  answered("a request line without a version", [400, 404], "GET /\r\n\r\n"),
  answered("HTTP/9.9", [400, 505], "GET / HTTP/9.9\r\nHost: h\r\n\r\n"),
  answered("an unknown method", [400, 404, 405], `BREW / HTTP/1.1${CRLF}Host: h${CRLF}${CRLF}`),
  answered("TRACE", [400, 404, 405], `TRACE / HTTP/1.1${CRLF}Host: h${CRLF}${CRLF}`),
  answered("CONNECT", [0, 400, 404, 405], `CONNECT evil.example:443 HTTP/1.1${CRLF}Host: h${CRLF}${CRLF}`),
  answered("OPTIONS *", [200, 204, 400, 404, 405], `OPTIONS * HTTP/1.1${CRLF}Host: h${CRLF}${CRLF}`),
  answered("no Host", [400], `GET / HTTP/1.1${CRLF}${CRLF}`),
  answered(
    "Content-Length and Transfer-Encoding",
    [400],
    post(`Content-Length: 4${CRLF}Transfer-Encoding: chunked${CRLF}`, `0${CRLF}${CRLF}GET / HTTP/1.1${CRLF}${CRLF}`),
  ),
  answered("two Content-Lengths", [400], post(`Content-Length: 4${CRLF}Content-Length: 5${CRLF}`, "{}{}")),
  answered("a negative Content-Length", [400], post(`Content-Length: -1${CRLF}`)),
  answered("a Content-Length in words", [400], post(`Content-Length: ten${CRLF}`)),
  answered("a Content-Length of 10^30", [400, 413, 200], post(`Content-Length: 1${"0".repeat(30)}${CRLF}`)),
  answered("a Content-Length beyond the limit", [200, 413], post(`Content-Length: 99999999${CRLF}`, "{")),
  answered("a chunk of 2^64 bytes", [200, 400, 413], post(`Transfer-Encoding: chunked${CRLF}`, `FFFFFFFFFFFFFFFFF${CRLF}x`)),
  answered("a chunk size in words", [200, 400], post(`Transfer-Encoding: chunked${CRLF}`, `zz${CRLF}x`)),
  answered("Transfer-Encoding: identity", [200, 400, 501], post(`Transfer-Encoding: identity${CRLF}`, "{}")),
  answered("Transfer-Encoding: chunked, twice", [200, 400], post(`Transfer-Encoding: chunked, chunked${CRLF}`, `0${CRLF}${CRLF}`)),
  answered("a space before the colon", [400], get("/", `X-Bad : 1${CRLF}`)),
  answered("a header without a colon", [400], get("/", `nonsense${CRLF}`)),
  answered("a bare carriage return in a header", [400], get("/", `X: a\rb${CRLF}`)),
  answered("32 KB of headers", [431], get("/", `X: ${"x".repeat(32_768)}${CRLF}`)),
  answered("a path of 20 KB", [414, 431], get(`/${"x".repeat(20_000)}`)),
  answered("a path that climbs", [400, 404], get("/console/../../../../etc/passwd")),
  answered("an encoded path that climbs", [400, 404], get("/console/..%2f..%2f..%2fetc%2fpasswd")),
  answered("a doubly encoded climb", [400, 404], get("/docs/%252e%252e/%252e%252e/etc/passwd")),
  answered("a backslash climb", [400, 404], get("/console/..\\..\\conf.yaml")),
  answered("a NUL in the path", [400, 404], get("/console/%00")),
  answered("a broken escape in an account", [400, 401], get("/api/v1/accounts/%E0%A4%A/connections")),
  answered("an account of 5,000 characters", [400, 401, 414, 404], get(`/api/v1/accounts/${"a".repeat(5_000)}/connections`)),
  answered("a path with 5,000 parameters", [400, 404], get(`/?${"a=1&".repeat(3_000)}`)),
  answered("metrics on the public port", [404], get("/metrics")),
  answered("readiness on the public port", [404], get("/readyz")),
  answered("the configuration on the public port", [404], get("/conf.yaml")),
  answered("the internal configuration on the public port", [404], get("/-/config")),
  answered(
    "Upgrade: h2c on a push, as some HTTP clients send it",
    [200],
    post(`Connection: Upgrade, HTTP2-Settings${CRLF}Upgrade: h2c${CRLF}HTTP2-Settings: AAMAAABkAAQAAP__${CRLF}Content-Length: 2${CRLF}`, "{}"),
  ),
  answered("Expect: 100-continue", [100, 200], post(`Expect: 100-continue${CRLF}Content-Length: 2${CRLF}`, "{}")),
  answered("Expect: something else", [200, 417], post(`Expect: miracles${CRLF}Content-Length: 2${CRLF}`, "{}")),
  {
    name: "http: 100 pipelined requests are answered in order",
    async run(attack) {
      const socket = attack.tcp();
      socket.write(get("/nothing-here").repeat(100));
      const answers = (text: string) => text.split("HTTP/1.1 404").length - 1;
      const text = await readUntil(socket, { test: (seen) => answers(seen) === 100 });
      assert.equal(answers(text), 100);
    },
  },
  {
    name: "http: a second request after a refused handshake is not served",
    async run(attack) {
      const socket = attack.tcp();
      socket.write(handshake("/ws/connect?app_id=test&token=x") + get("/openapi.yaml"));
      const text = await readUntil(socket, /HTTP\/1\.1[\s\S]*HTTP\/1\.1/);
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
    },
  },
  {
    name: "http: bytes after a handshake are frames, never requests",
    async run(attack) {
      const socket = attack.tcp();
      socket.write(handshake(target()) + get("/openapi.yaml"));
      const text = await readUntil(socket, /openapi: 3/);
      assert.ok(!text.includes("openapi: 3"));
    },
  },
  {
    name: "http: headers one byte at a time, left unfinished",
    async run(attack) {
      const socket = attack.tcp();
      for (const byte of "GET / HTTP/1.1\r\nX-Slow: ") socket.write(byte);
    },
  },
  {
    name: "http: a body that never comes",
    async run(attack) {
      attack.tcp().write(post(`Content-Length: 1000${CRLF}`, "{"));
    },
  },
  {
    name: "http: a connection reset in the middle of a body",
    async run(attack) {
      const socket = attack.tcp();
      socket.write(post(`Content-Length: 1000${CRLF}`, "{"), () => socket.resetAndDestroy());
    },
  },
];
