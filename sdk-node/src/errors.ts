// The errors that the SDK throws, as one tree. No message, property or cause made here holds a token or a secret.

/** What every error of this package has in common. */
export interface ErrorDetails {
  /** The same call may succeed later. */
  readonly retryable: boolean;
  /** What to do about it, as a sentence. */
  readonly remediation: string;
  readonly cause?: unknown;
}

/** The root of the tree: `catch (error) { if (error instanceof XlveinError) … }`. Wrong arguments are a `TypeError` instead. */
export class XlveinError extends Error {
  override readonly name: string = "XlveinError";
  /** The same call may succeed later. Calls have been retried already, as often as `retries` says. */
  readonly retryable: boolean;
  /** What to do about it, as a sentence for the developer or operator. */
  readonly remediation: string;

  constructor(message: string, { retryable, remediation, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = retryable;
    this.remediation = remediation;
  }
}

/** The server could not be reached, or the connection broke before the answer was complete. */
export class XlveinConnectionError extends XlveinError {
  override readonly name: string = "XlveinConnectionError";
}

/** No complete answer within `timeoutMs`. The server may have acted all the same: repeat with the same idempotency key. */
export class XlveinTimeoutError extends XlveinError {
  override readonly name: string = "XlveinTimeoutError";
}

/** One field at fault. */
export interface FieldError {
  /** Where: `body.accounts[1]`. */
  readonly field: string;
  readonly message: string;
}

/** The parts of an answer that refuses. */
export interface ApiErrorDetails extends ErrorDetails {
  readonly code: number;
  readonly status: number;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly errors?: readonly FieldError[];
}

/** The server answered, and refused. The subclasses say what about; anything else (a malformed request, a fault of the server) is this class itself. */
export class XlveinApiError extends XlveinError {
  override readonly name: string = "XlveinApiError";
  /** The stable code of the server's catalogue (`ErrorCode`); the HTTP status where something other than xlvein answered, such as a proxy. */
  readonly code: number;
  /** The HTTP status: 200 where the answer as a whole succeeded, as for one message of `pushMany` or a classic push. */
  readonly status: number;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;
  /** How long the server asks to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** One entry for each field at fault; often empty. */
  readonly errors: readonly FieldError[];

  constructor(message: string, details: ApiErrorDetails) {
    super(message, details);
    this.code = details.code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.errors = details.errors ?? [];
  }
}

/** The application is unknown or disabled, the secret is wrong, or the application does not allow the call. */
export class XlveinAuthenticationError extends XlveinApiError {
  override readonly name: string = "XlveinAuthenticationError";
}

/** The application's rate limit is used up; `retryAfterMs` says how long to wait. */
export class XlveinRateLimitError extends XlveinApiError {
  override readonly name: string = "XlveinRateLimitError";
}

/** The idempotency key or nonce was used before with another body. */
export class XlveinConflictError extends XlveinApiError {
  override readonly name: string = "XlveinConflictError";
}

/** The server is full, draining, or cannot reach its exchange or store now. */
export class XlveinUnavailableError extends XlveinApiError {
  override readonly name: string = "XlveinUnavailableError";
}
