// Handshakes of the full protocol that must be refused, by a status or by a close code.
import assert from "node:assert/strict";
import { tokenFor } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";
import { type Case, closeCode, handshake, readAll, readUntil, statusOf } from "./case.ts";

const V2 = "xlvein.v2.json";
const good = () => tokenFor("mallory", SECRET);

interface Offer {
  readonly query?: string;
  readonly offered?: string;
  readonly headers?: Record<string, string>;
}

function bytesOf({ query = "app_id=test", offered = `${V2}, xlvein.token.${good()}`, headers = {} }: Offer): string {
  return handshake(`/ws/connect?${query}`, { "Sec-WebSocket-Protocol": offered, ...headers });
}

function answered(name: string, status: number, offer: Offer): Case {
  return {
    name: `v2 handshake: ${name} answers ${status}`,
    async run(attack) {
      const socket = attack.tcp();
      socket.write(bytesOf(offer));
      assert.equal(await statusOf(socket), status);
    },
  };
}

/** Upgraded, and closed before anything else is sent. */
function closed(name: string, code: number, offer: Offer): Case {
  return {
    name: `v2 handshake: ${name} closes ${code}`,
    async run(attack) {
      const socket = attack.tcp();
      socket.write(bytesOf(offer));
      const head = await readUntil(socket, /\r\n\r\n/);
      assert.match(head, /^HTTP\/1\.1 101 /);
      assert.match(head, /\r\nSec-WebSocket-Protocol: xlvein\.v\d+\.json\r\n/);
      const frames = Buffer.from(head.slice(head.indexOf("\r\n\r\n") + 4), "latin1");
      assert.equal(await closeCode(socket, frames), code);
    },
  };
}

const offering = (...names: string[]) => names.join(", ");
const inToken = (token: string) => ({ offered: offering(V2, `xlvein.token.${token}`) });

export const v2Handshakes: Case[] = [
  answered("a good one", 101, {}),
  answered("a token without the version", 400, { offered: `xlvein.token.${good()}` }),
  answered("two tokens", 400, { offered: offering(V2, `xlvein.token.${good()}`, "xlvein.token.x") }),
  answered("one token twice", 400, { offered: offering(V2, "xlvein.token.x", "xlvein.token.x") }),
  answered("a token both ways", 400, { query: `app_id=test&token=${good()}` }),
  answered("the version twice", 400, { offered: offering(V2, V2, `xlvein.token.${good()}`) }),
  answered("a list with a hole", 400, { offered: `${V2},,xlvein.token.${good()}` }),
  answered("a name with a space", 400, { offered: `${V2}, a b` }),
  answered("a name in quotes", 400, { offered: `${V2}, "a"` }),
  answered("app_id twice", 400, { query: "app_id=test&app_id=test2" }),
  answered("a position twice", 400, { query: "app_id=test&app_position=e:0:&app_position=e:0:" }),
  answered("a token of 20 KB", 431, { offered: offering(V2, `xlvein.token.${"x".repeat(20_000)}`) }),
  ...["2,000 names", "the version last of 1,000"].map((name, i) =>
    answered(name, 101, { offered: offering(...Array.from({ length: i === 0 ? 2_000 : 1_000 }, (_, n) => `p${n}`), V2, `xlvein.token.${good()}`) }),
  ),
  closed("no app_id", 4000, { query: "x=1" }),
  closed("a device_id of 129 characters", 4000, { query: `app_id=test&device_id=${"d".repeat(129)}` }),
  closed("an empty device_id", 4000, { query: "app_id=test&device_id=" }),
  ...["", ":", "::", "e", "e:1", ":0:", "e:-1:m", "e:1e3:m", "e:01:m", "e:1:m:n", "e:99999999999999999:m", `${"e".repeat(200)}:1:m`, "[object Object]"].map(
    (position) =>
      closed(`the position ${JSON.stringify(position).slice(0, 24)}`, 4000, { query: `app_id=test&account_position=${encodeURIComponent(position)}` }),
  ),
  ...["nobody", "constructor", "__proto__", "TEST", "用户"].map((app) => closed(`the app_id ${app}`, 4001, { query: `app_id=${encodeURIComponent(app)}` })),
  closed("only a newer version", 4005, { offered: offering("xlvein.v3.json", `xlvein.token.${good()}`) }),
  closed("only an older version", 4005, { offered: offering("xlvein.v1.json", `xlvein.token.${good()}`) }),
  closed("only a newer version, and no parameters", 4005, { query: "", offered: "xlvein.v999999999.json" }),
  closed("no token", 4007, { offered: V2 }),
  closed("an empty token", 4007, { offered: offering(V2, "xlvein.token.") }),
  ...["x", "x.y.z", "..", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", `${good()}x`, good().slice(0, -1), "x".repeat(5_000)].map((token) =>
    closed(`the token ${token.length > 100 ? `of ${token.length} characters` : token}`, 4007, inToken(token)),
  ),
  closed("a token of another application", 4007, inToken(tokenFor("mallory", `${SECRET}2`))),
  closed("rooms that are no list", 4007, inToken(tokenFor("mallory", SECRET, { rooms: "r" }))),
  closed("rooms that are no texts", 4007, inToken(tokenFor("mallory", SECRET, { rooms: [1] }))),
  closed("101 rooms", 4007, inToken(tokenFor("mallory", SECRET, { rooms: Array.from({ length: 101 }, (_, i) => `r${i}`) }))),
  closed("rights that are no list", 4007, inToken(tokenFor("mallory", SECRET, { can: "direct" }))),
  closed("a room token", 4007, inToken(tokenFor("mallory", SECRET, { aud: "xlvein-room", room: "r" }))),
  {
    name: "v2 handshake: 100 that are refused and do not go",
    async run(attack) {
      for (let i = 0; i < 100; i++) attack.tcp().write(bytesOf({ query: "app_id=nobody" }));
    },
  },
  {
    name: "v2 handshake: a refused one that never answers the close frame is cut off",
    async run(attack) {
      const socket = attack.tcp();
      socket.write(bytesOf({ query: "app_id=nobody" }));
      const bytes = await readAll(socket);
      assert.equal(bytes.readUInt16BE(bytes.indexOf(0x88) + 2), 4001);
    },
  },
  {
    name: "v2 handshake: a refused one that sends frames nevertheless",
    async run(attack) {
      const socket = attack.tcp();
      socket.write(bytesOf({ query: "app_id=nobody" }));
      await readUntil(socket, /\r\n\r\n/);
      for (let i = 0; i < 100; i++) socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]));
      socket.write(Buffer.alloc(100_000, 0xff));
      await readUntil(socket, { test: () => false });
    },
  },
];
