// How a client of each server connects, and when it is in.
import { type Client, upgradeRequest } from "./handshakes.ts";

const HEADERS_END = "\r\n\r\n";
/** "40": a client of socket.io asks for the default namespace. */
const JOIN_NAMESPACE = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]);

/** The token of the n-th client. */
type TokenOf = (n: number) => string;

/** Of ws alone: nobody has to prove anything. */
export const bareClient: Client = { request: () => upgradeRequest("/ws/connect"), welcome: HEADERS_END };

/** Of ours, with the classic protocol. */
export function classicClient(token: TokenOf): Client {
  return { request: (n) => upgradeRequest(`/ws/connect?app_id=test&token=${token(n)}`), welcome: HEADERS_END };
}

/** Of ours, up to the hello of v2. */
export function v2Client(token: TokenOf): Client {
  const headers = (n: number) => `Sec-WebSocket-Protocol: xlvein.v2.json, xlvein.token.${token(n)}\r\n`;
  return { request: (n) => upgradeRequest("/ws/connect?app_id=test", headers(n)), welcome: '"op":"hello"' };
}

/** Of socket.io, until it is in the namespace. */
export function socketIoClient(token: TokenOf): Client {
  return { request: (n) => upgradeRequest(`/socket.io/?EIO=4&transport=websocket&token=${token(n)}`), welcome: '40{"sid"', greeting: JOIN_NAMESPACE };
}
