// Handshakes that must be refused, or survive, whatever they hold.
import assert from "node:assert/strict";
import { tokenFor } from "../helpers/client.ts";
import { type Case, handshake, statusOf, target } from "./case.ts";

function answered(name: string, status: number | readonly number[], bytes: () => string | Buffer): Case {
  return {
    name: `handshake: ${name} answers ${status}`,
    async run(attack) {
      const socket = attack.tcp();
      socket.write(bytes());
      const got = await statusOf(socket);
      assert.ok([status].flat().includes(got), `answered ${got}`);
    },
  };
}

const withHeaders = (headers: Record<string, string | undefined>) => () => handshake(target(), headers);
const withTarget = (path: string) => () => handshake(path);
const good = () => tokenFor("mallory");

export const handshakes: Case[] = [
  answered("a good one", 101, withHeaders({})),
  answered("no key", 400, withHeaders({ "Sec-WebSocket-Key": undefined })),
  answered("an empty key", 400, withHeaders({ "Sec-WebSocket-Key": "" })),
  answered("a short key", 400, withHeaders({ "Sec-WebSocket-Key": "c2hvcnQ=" })),
  answered("a key that is not base64", 400, withHeaders({ "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" })),
  answered("a key of 8 KB", 400, withHeaders({ "Sec-WebSocket-Key": "A".repeat(8_000) })),
  answered("no version", 400, withHeaders({ "Sec-WebSocket-Version": undefined })),
  ...["0", "7", "8", "12", "14", "13, 8", "x", "-13"].map((version) => answered(`version ${version}`, 400, withHeaders({ "Sec-WebSocket-Version": version }))),
  answered("no Upgrade header", 400, withHeaders({ Upgrade: undefined })),
  answered("Upgrade: h2c", [400, 426], withHeaders({ Upgrade: "h2c" })),
  answered("two Upgrade tokens", [400, 426], withHeaders({ Upgrade: "websocket, h2c" })),
  answered("a body", 400, () => `${handshake(target(), { "Content-Length": "5" })}hello`),
  answered("a chunked body", 400, () => `${handshake(target(), { "Transfer-Encoding": "chunked" })}5\r\nhello\r\n0\r\n\r\n`),
  answered("a negative body length", 400, withHeaders({ "Content-Length": "-1" })),
  answered("no Host", 400, withHeaders({ Host: undefined })),
  ...["POST", "PUT", "DELETE", "OPTIONS", "HEAD"].map((method) =>
    answered(`method ${method}`, [400, 405], () => handshake("", {}, `${method} ${target()} HTTP/1.1`)),
  ),
  answered("HTTP/1.0", 400, () => handshake("", {}, `GET ${target()} HTTP/1.0`)),
  answered("HTTP/2.0 on the request line", [400, 505], () => handshake("", {}, `GET ${target()} HTTP/2.0`)),
  answered("another path", 404, withTarget("/ws")),
  answered("a trailing slash", 404, withTarget(`/ws/connect/?app_id=test&token=${good()}`)),
  answered("an encoded path", 404, withTarget(`/ws%2fconnect?app_id=test&token=${good()}`)),
  answered("a path that climbs", 404, withTarget(`/ws/connect/../../etc/passwd?app_id=test&token=${good()}`)),
  answered("a target of two slashes", [400, 404], withTarget("//")),
  answered("a target with a broken authority", [400, 404], withTarget("http://[::1")),
  answered("an absolute target elsewhere", [400, 404, 101], () => handshake(`http://evil.example${target()}`)),
  answered("a target of 20 KB", 431, withTarget(`/ws/connect?app_id=test&token=${"x".repeat(20_000)}`)),
  answered("no query", 400, withTarget("/ws/connect")),
  answered("an empty query", 400, withTarget("/ws/connect?")),
  answered("an empty app_id", 400, withTarget(`/ws/connect?app_id=&token=${good()}`)),
  answered("app_id twice", 400, withTarget(`/ws/connect?app_id=test&app_id=test2&token=${good()}`)),
  answered("token twice", 400, withTarget(`/ws/connect?app_id=test&token=${good()}&token=${good()}`)),
  answered("app_id[] as an array", 400, withTarget(`/ws/connect?app_id[]=test&token=${good()}`)),
  answered("no token", 401, withTarget("/ws/connect?app_id=test")),
  answered("an empty token", 401, withTarget("/ws/connect?app_id=test&token=")),
  ...["constructor", "__proto__", "toString", "%00", "test%00", "TEST", "te%73t%20", "..%2f", "%E0%A4%A", "用户", "x".repeat(2_000)].map((app) =>
    answered(`app_id ${app.slice(0, 20)}`, [400, 404], () => handshake(`/ws/connect?app_id=${encodeURI(decodeSafely(app))}&token=${good()}`)),
  ),
  answered("a device_id of 129 characters", 400, () => handshake(`${target()}&device_id=${"d".repeat(129)}`)),
  answered("an empty device_id", 400, () => handshake(`${target()}&device_id=`)),
  answered("100 unknown parameters", 101, () => handshake(`${target()}&${Array.from({ length: 100 }, (_, i) => `p${i}=1`).join("&")}`)),
  ...["null", "https://evil.example", "javascript:alert(1)", "file://", "\x7f"].map((origin) =>
    answered(`origin ${JSON.stringify(origin)} for an app without a list`, [101, 400], withHeaders({ Origin: origin })),
  ),
  answered("an offered subprotocol with a comma salad", [101, 400], withHeaders({ "Sec-WebSocket-Protocol": ",,,a,,b" })),
  answered("an offered subprotocol named twice", [101, 400], withHeaders({ "Sec-WebSocket-Protocol": "a, a" })),
  answered("extensions that do not parse", [101, 400], withHeaders({ "Sec-WebSocket-Extensions": "permessage-deflate; =;;" })),
  answered(
    "permessage-deflate with a hostile window",
    [101, 400],
    withHeaders({ "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=99" }),
  ),
  answered("3,000 headers", [431, 400, 101], () => handshake(target(), Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`X${i}`, "1"])))),
  answered("a header of 20 KB", 431, withHeaders({ "X-Long": "x".repeat(20_000) })),
  answered("a NUL in a header", 400, withHeaders({ "X-Bad": "a\0b" })),
  answered("a folded header", 400, () => handshake(target()).replace("Upgrade: websocket", "Upgrade: websocket\r\n folded")),
  {
    name: "handshake: half of one, then silence",
    async run(attack) {
      attack.tcp().write(handshake(target()).slice(0, 60));
    },
  },
  {
    name: "handshake: one byte at a time, then a reset",
    async run(attack) {
      const socket = attack.tcp();
      for (const byte of handshake(target()).slice(0, 80)) socket.write(byte);
      socket.resetAndDestroy();
    },
  },
  {
    name: "handshake: 200 that are reset at once",
    async run(attack) {
      for (let i = 0; i < 200; i++) {
        const socket = attack.tcp();
        socket.once("connect", () => {
          socket.write(handshake(target()));
          socket.resetAndDestroy();
        });
      }
    },
  },
  {
    name: "handshake: 100 TCP connections that say nothing",
    async run(attack) {
      for (let i = 0; i < 100; i++) attack.tcp();
    },
  },
];

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
