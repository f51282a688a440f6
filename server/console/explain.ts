// Codes of the server as sentences for the person at the page: what happened, and what to do.
import { CloseCode, ErrorCode } from "../src/generated/codes.ts";

const closes: Readonly<Record<number, string>> = {
  [CloseCode.POLICY_VIOLATION]: "The server closed the connection because of too many frames. Send more slowly.",
  [CloseCode.MESSAGE_TOO_BIG]: "The last frame was larger than the limit. Send a smaller message.",
  [CloseCode.INTERNAL_ERROR]: "The server had a fault. Its log tells more.",
  [CloseCode.SERVICE_RESTART]: "The server is restarting.",
  [CloseCode.TRY_AGAIN_LATER]: "The server is full, or this page read too slowly.",
  [CloseCode.BAD_REQUEST]: "The server did not understand the request to connect. Reload this page.",
  [CloseCode.APP_NOT_FOUND]: "No application has this app key. Check it against the server's applications.",
  [CloseCode.TOKEN_INVALID]: "The server does not take the token. Make a new one and connect again.",
  [CloseCode.NOT_AUTHORISED]: "The application's `allowed_origins` does not have this page's address.",
  [CloseCode.PROTOCOL_ABUSE]: "The server closed the connection because of frames it does not know.",
  [CloseCode.OVER_CAPACITY]: "The server is full.",
  [CloseCode.QUOTA]: "The application, or this account, has as many connections as it may have.",
  [CloseCode.TOO_MANY_REQUESTS]: "The server closed the connection because of too many frames. Send more slowly.",
  [CloseCode.EXCHANGE_UNAVAILABLE]: "The exchange between the servers does not answer; the server's /readyz?verbose tells more.",
  [CloseCode.DRAIN]: "The server is restarting.",
  [CloseCode.SLOW_CONSUMER]: "This page read too slowly.",
  [CloseCode.POSITION_LOST]: "What this page missed is no longer kept by the server.",
  [CloseCode.APP_DISABLED]: "The application was disabled or removed. Check the server's applications.",
  [CloseCode.KICKED]: "The backend disconnected this account. Connect again when you wish.",
  [CloseCode.NO_PONG]: "The server had no sign of life from this page.",
  [CloseCode.TOKEN_EXPIRED]: "The token has expired. Make a new one and connect again.",
};

const remedies: Partial<Readonly<Record<ErrorCode, string>>> = {
  [ErrorCode.PAYLOAD_TOO_LARGE]: "Send a smaller message.",
  [ErrorCode.INTERNAL]: "The server's log has the request id.",
  [ErrorCode.RATE_LIMITED]: "Wait a second, then push again.",
  [ErrorCode.TOKEN_INVALID]: "Check that the app secret is this application's, and that this computer's clock is right.",
  [ErrorCode.APP_NOT_FOUND]: "Check the app key at the top of the page against the server's applications.",
  [ErrorCode.NOT_AUTHORISED]: "The application's `push_auth` or `allowed_origins` must allow it.",
  [ErrorCode.APP_DISABLED]: "Enable it in the server's applications.",
  [ErrorCode.EXCHANGE_UNAVAILABLE]: "Try again in a moment; the server's /readyz?verbose tells more.",
  [ErrorCode.STORE_UNAVAILABLE]: "Try again in a moment; the server's /readyz?verbose tells more.",
  [ErrorCode.OVERLOADED]: "Try again in a moment.",
  [ErrorCode.NOT_IN_ROOM]: "Have the backend add the account (POST /api/v1/rooms/ROOM/members), or name the room in the token's `rooms`.",
};

/** Why a connection ended, by the WebSocket's close code; undefined or 1006 when the network did not say. */
export function closeSentence(code: number | undefined): string {
  if (code === undefined || code === 1005 || code === 1006) return "The connection was lost. Check that the server runs.";
  return closes[code] ?? `The server closed the connection with code ${code}. PROTOCOL.md says what it means.`;
}

/** What the server answered, as sentences. `message` is its own, without a full stop. */
export function refusalSentence(code: number, message: string): string {
  const remedy = remedies[code as ErrorCode] ?? "";
  const said = message === "" ? `The server answered with error ${code}` : `${message.charAt(0).toUpperCase()}${message.slice(1)}`;
  return `${said.replace(/\.$/, "")} (error ${code}). ${remedy}`.trim();
}
