// The catalogue of errors that cross a border: a stable code, an HTTP status and a sentence for a human.
import { ErrorCode } from "./generated/codes.ts";

export { ErrorCode };

/** What is fixed about a code, whatever the occasion. */
export interface ErrorKind {
  /** The name in openapi.yaml's `x-enum-varnames`, in words. */
  readonly title: string;
  /** The HTTP status outside the classic push path (which always answers 200). */
  readonly status: number;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

const kinds: Readonly<Record<ErrorCode, ErrorKind>> = {
  [ErrorCode.OK]: { title: "OK", status: 200, retryable: false },
  [ErrorCode.BAD_REQUEST]: { title: "Bad request", status: 400, retryable: false },
  [ErrorCode.NOT_FOUND]: { title: "Not found", status: 404, retryable: false },
  [ErrorCode.METHOD_NOT_ALLOWED]: { title: "Method not allowed", status: 405, retryable: false },
  [ErrorCode.REQUEST_TIMEOUT]: { title: "Request timeout", status: 408, retryable: true },
  [ErrorCode.PAYLOAD_TOO_LARGE]: { title: "Payload too large", status: 413, retryable: false },
  [ErrorCode.UNSUPPORTED_MEDIA_TYPE]: { title: "Unsupported media type", status: 415, retryable: false },
  [ErrorCode.INTERNAL]: { title: "Internal error", status: 500, retryable: true },
  [ErrorCode.TIMEOUT]: { title: "Timeout", status: 504, retryable: true },
  [ErrorCode.RATE_LIMITED]: { title: "Rate limited", status: 429, retryable: true },
  [ErrorCode.TOKEN_INVALID]: { title: "Token invalid", status: 401, retryable: false },
  [ErrorCode.APP_NOT_FOUND]: { title: "Application not found", status: 404, retryable: false },
  [ErrorCode.SIGN_INVALID]: { title: "Sign invalid", status: 401, retryable: false },
  [ErrorCode.MESSAGE_INVALID]: { title: "Message invalid", status: 400, retryable: false },
  [ErrorCode.NOT_AUTHORISED]: { title: "Not authorised", status: 403, retryable: false },
  [ErrorCode.KEY_REUSED]: { title: "Key reused", status: 409, retryable: false },
  [ErrorCode.APP_DISABLED]: { title: "Application disabled", status: 403, retryable: false },
  [ErrorCode.EXCHANGE_UNAVAILABLE]: { title: "Exchange unavailable", status: 503, retryable: true },
  [ErrorCode.STORE_UNAVAILABLE]: { title: "Store unavailable", status: 503, retryable: true },
  [ErrorCode.OVERLOADED]: { title: "Overloaded", status: 503, retryable: true },
  [ErrorCode.UNKNOWN_OP]: { title: "Unknown op", status: 400, retryable: false },
  [ErrorCode.NOT_IN_ROOM]: { title: "Not in room", status: 403, retryable: false },
  [ErrorCode.POSITION_LOST]: { title: "Position lost", status: 410, retryable: false },
  [ErrorCode.TOO_MANY_ROOMS]: { title: "Too many rooms", status: 429, retryable: false },
};

/** One field at fault, as `errors` of a problem shows it. */
export interface FieldError {
  /** Where: `body.accounts[1]`, `query.token`. */
  readonly field: string;
  readonly message: string;
}

export interface XlveinErrorOptions {
  cause?: unknown;
  /** Whole seconds for a `Retry-After` header. */
  retryAfterSeconds?: number;
  /** An HTTP status other than the kind's (an exhausted quota on connect is 429 as well as 503). */
  status?: number;
  fields?: readonly FieldError[];
  /** A word for the `reason` label of a metric; from the code, never from input. */
  reason?: string;
}

/** An error that a caller of the API or a client may see. Its message never holds a token, a secret or a body. */
export class XlveinError extends Error {
  override readonly name = "XlveinError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: readonly FieldError[];
  readonly reason: string | undefined;

  constructor(code: ErrorCode, message: string, options: XlveinErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const kind = kinds[code];
    this.code = code;
    this.title = kind.title;
    this.status = options.status ?? kind.status;
    this.retryable = kind.retryable;
    this.retryAfterSeconds = options.retryAfterSeconds ?? (kind.retryable ? 1 : undefined);
    this.fields = options.fields ?? [];
    this.reason = options.reason;
  }
}
