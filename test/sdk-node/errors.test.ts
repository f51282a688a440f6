// The catalogue of errors, held against openapi.yaml and against the server.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { inspect } from "node:util";
import { parse } from "yaml";
import { errorKind, errorKinds } from "../../sdk-node/src/error-kinds.ts";
import {
  ErrorCode,
  XlveinApiError,
  XlveinAuthenticationError,
  XlveinConflictError,
  XlveinConnectionError,
  XlveinError,
  XlveinRateLimitError,
  XlveinUnavailableError,
} from "../../sdk-node/src/index.ts";
import { XlveinError as ServerError } from "../../server/src/errors.ts";
import { createClient, problem, startScript } from "./scripted-server.ts";

interface OpenApi {
  components: { schemas: { ErrorCode: { enum: number[]; "x-enum-varnames": string[] } } };
}

const api = parse(await readFile(new URL("../../openapi.yaml", import.meta.url), "utf8"), { merge: true }) as OpenApi;
const codes = api.components.schemas.ErrorCode.enum;

test("every code of openapi.yaml says what to do", () => {
  assert.deepEqual(Object.values(ErrorCode).sort(byNumber), [...codes].sort(byNumber));
  assert.deepEqual(Object.keys(errorKinds).map(Number).sort(byNumber), [...codes].sort(byNumber));
  for (const code of codes) assert.match(errorKind(code).remediation, /^[A-Z].+\.$/, `code ${code}`);
});

test("a code is retryable here exactly when the server says so", () => {
  for (const code of Object.values(ErrorCode)) assert.equal(errorKind(code).retryable, new ServerError(code, "").retryable, `code ${code}`);
});

test("every code, as the server sends it, becomes an error of its class", async (t) => {
  const classes: Partial<Record<ErrorCode, typeof XlveinApiError>> = {
    [ErrorCode.RATE_LIMITED]: XlveinRateLimitError,
    [ErrorCode.KEY_REUSED]: XlveinConflictError,
  };
  for (const code of ["TOKEN_INVALID", "APP_NOT_FOUND", "SIGN_INVALID", "NOT_AUTHORISED", "APP_DISABLED"] as const)
    classes[ErrorCode[code]] = XlveinAuthenticationError;
  for (const code of ["TIMEOUT", "EXCHANGE_UNAVAILABLE", "STORE_UNAVAILABLE", "OVERLOADED"] as const) classes[ErrorCode[code]] = XlveinUnavailableError;
  const failures = Object.values(ErrorCode).filter((code) => code !== ErrorCode.OK);
  const server = await startScript(
    t,
    failures.map((code) => problem(new ServerError(code, "").status, code, { headers: { "retry-after": "2", "x-request-id": "from-header" } })),
  );
  const { client } = createClient(server.url, { retries: 0 });
  for (const code of failures) {
    const error = await client.push({ account: "user_1", data: {} }).catch((reason: unknown) => reason);
    assert.ok(error instanceof XlveinApiError && error instanceof XlveinError && error instanceof Error);
    const Class = classes[code] ?? XlveinApiError;
    assert.equal(error.constructor, Class, `code ${code}`);
    assert.equal(error.name, Class.name);
    assert.deepEqual([error.code, error.retryAfterMs, error.requestId], [code, 2_000, "req-1"]);
    assert.match(inspect(error), new RegExp(`^${Class.name}: push: a sentence \\(code ${code}, `));
  }
});

test("a code newer than the package is still an API error, as retryable as the server says", async (t) => {
  const server = await startScript(t, [problem(422, 1999, { retryable: true })]);
  const error = await createClient(server.url)
    .client.push({ account: "user_1", data: {} })
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof XlveinApiError);
  assert.deepEqual([error.code, error.status, error.retryable], [1999, 422, true]);
});

test("a cause is kept", () => {
  const cause = new Error("below");
  assert.equal(new XlveinConnectionError("above", { retryable: true, remediation: "Look below.", cause }).cause, cause);
});

function byNumber(a: number, b: number): number {
  return a - b;
}
