// What is fixed about each code of the server's catalogue: its class, whether it may pass by itself, and what to do about it.
import {
  type ApiErrorDetails,
  XlveinApiError,
  XlveinAuthenticationError,
  XlveinConflictError,
  XlveinRateLimitError,
  XlveinUnavailableError,
} from "./errors.ts";
import { ErrorCode } from "./generated/codes.ts";

/** What to know about a code before any answer carries it. */
export interface ErrorKind {
  readonly Class: new (message: string, details: ApiErrorDetails) => XlveinApiError;
  readonly retryable: boolean;
  readonly remediation: string;
}

const WAIT = "Try again after `retryAfterMs` with the same idempotency key.";

/** One entry for every code: the compiler and a test against openapi.yaml see to it. */
export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = {
  [ErrorCode.OK]: { Class: XlveinApiError, retryable: false, remediation: "Nothing to do." },
  [ErrorCode.BAD_REQUEST]: { Class: XlveinApiError, retryable: false, remediation: "Mend the request: the message and `errors` name each field at fault." },
  [ErrorCode.NOT_FOUND]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "Check `url` (with the path prefix, if xlvein is served under one) and that the server is recent enough to know this call.",
  },
  [ErrorCode.METHOD_NOT_ALLOWED]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "Check that `url` is the address of xlvein itself, and that no proxy changes the request's method.",
  },
  [ErrorCode.REQUEST_TIMEOUT]: { Class: XlveinApiError, retryable: true, remediation: "The request did not reach the server in time. Send it again." },
  [ErrorCode.PAYLOAD_TOO_LARGE]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "Send less: put large content elsewhere and push its address, or raise the server's or the application's limit.",
  },
  [ErrorCode.UNSUPPORTED_MEDIA_TYPE]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "Check that no proxy between here and the server changes the `Content-Type` header.",
  },
  [ErrorCode.INTERNAL]: { Class: XlveinApiError, retryable: true, remediation: "A fault of the server: look for `requestId` in its log." },
  [ErrorCode.TIMEOUT]: {
    Class: XlveinUnavailableError,
    retryable: true,
    remediation: "Try again with the same idempotency key: the first attempt may have succeeded.",
  },
  [ErrorCode.RATE_LIMITED]: {
    Class: XlveinRateLimitError,
    retryable: true,
    remediation: "Wait for `retryAfterMs`; push to many accounts in one call, or raise the application's limit.",
  },
  [ErrorCode.TOKEN_INVALID]: {
    Class: XlveinAuthenticationError,
    retryable: false,
    remediation: "Check `appSecret`, and that the clocks of this machine and of the server agree.",
  },
  [ErrorCode.APP_NOT_FOUND]: {
    Class: XlveinAuthenticationError,
    retryable: false,
    remediation: "Check `appKey` against the applications in the server's configuration.",
  },
  [ErrorCode.SIGN_INVALID]: {
    Class: XlveinAuthenticationError,
    retryable: false,
    remediation: "Check `appSecret` against the application's secret on the server.",
  },
  [ErrorCode.MESSAGE_INVALID]: { Class: XlveinApiError, retryable: false, remediation: "Push an object as `data`, and nest it less deeply." },
  [ErrorCode.NOT_AUTHORISED]: {
    Class: XlveinAuthenticationError,
    retryable: false,
    remediation: "Allow this in the application's settings: `bearer` in its `push_auth` for the API (`sign` for classicPush).",
  },
  [ErrorCode.KEY_REUSED]: {
    Class: XlveinConflictError,
    retryable: false,
    remediation: "Use a new idempotency key for a new message, and the same key only for the same message.",
  },
  [ErrorCode.APP_DISABLED]: { Class: XlveinAuthenticationError, retryable: false, remediation: "Set `enabled: true` for the application on the server." },
  [ErrorCode.EXCHANGE_UNAVAILABLE]: {
    Class: XlveinUnavailableError,
    retryable: true,
    remediation: `The exchange between the nodes did not accept the message. ${WAIT}`,
  },
  [ErrorCode.STORE_UNAVAILABLE]: { Class: XlveinUnavailableError, retryable: true, remediation: `The server's store did not answer. ${WAIT}` },
  [ErrorCode.UNKNOWN_OP]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "This is said to WebSocket clients only: check that no proxy changes the server's answers.",
  },
  [ErrorCode.NOT_IN_ROOM]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "Let the account into the room: with `rooms.add`, with `rooms` in its token, or with a `roomToken`.",
  },
  [ErrorCode.POSITION_LOST]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "What followed `after` is no longer kept: read the newest messages (without `after`), and take what is older from your own data.",
  },
  [ErrorCode.TOO_MANY_ROOMS]: {
    Class: XlveinApiError,
    retryable: false,
    remediation: "An account can be added to at most 1,000 rooms: remove it from one (`accountRooms` lists them), or let it in with `rooms` in its token.",
  },
  [ErrorCode.OVERLOADED]: { Class: XlveinUnavailableError, retryable: true, remediation: `The server is full or draining. ${WAIT}` },
};

/** The kind of a code that xlvein sent; one that is newer than this package is a plain `XlveinApiError`. */
export function errorKind(code: number): ErrorKind {
  const known = (errorKinds as Readonly<Record<number, ErrorKind>>)[code];
  return known ?? { Class: XlveinApiError, retryable: false, remediation: "This code is newer than the installed @xlvein/node: read the message." };
}

/** Classes of answers that are not xlvein's own, by HTTP status. */
const foreignClasses: Readonly<Record<number, ErrorKind["Class"]>> = {
  401: XlveinAuthenticationError,
  403: XlveinAuthenticationError,
  429: XlveinRateLimitError,
  502: XlveinUnavailableError,
  503: XlveinUnavailableError,
  504: XlveinUnavailableError,
};

/** The kind of an answer that is not xlvein's own: a proxy's page, another server. */
export function foreignKind(status: number): ErrorKind {
  return {
    Class: foreignClasses[status] ?? XlveinApiError,
    retryable: status === 429 || status >= 500,
    remediation: "This answer is not xlvein's own: check `url`, and any proxy between here and the server.",
  };
}
