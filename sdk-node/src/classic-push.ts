// Pushing through the classic API, for servers that know no other.
import { randomUUID } from "node:crypto";
import { type Answer, apiError, foreignError, isObject } from "./answer.ts";
import { ErrorCode } from "./generated/codes.ts";
import type { components, paths } from "./generated/openapi.ts";
import { dataText } from "./message.ts";
import { checkAccount } from "./names.ts";
import { sign } from "./sign.ts";
import type { CallOptions, Send } from "./transport.ts";

/** One message by the classic API. */
export interface ClassicPush extends CallOptions {
  readonly account: string;
  /** The message itself: an object that `JSON.stringify` can write. */
  readonly data: object;
  /** Random text, at most 256 characters. Made when left out. xlvein delivers one nonce once; the Go service that it succeeds remembers none. */
  readonly nonce?: string | undefined;
}

type WireReply = components["schemas"]["ClassicReply"];

const PATH: keyof paths = "/api/v1/im/push";

/**
 * Answers the function that pushes with the `sign` scheme.
 * It repeats what the server has refused, but not what timed out or broke off: an old server could deliver that twice.
 */
export function createClassicPush(send: Send, appKey: string, appSecret: string): (push: ClassicPush) => Promise<void> {
  return async (push) => {
    if (typeof push !== "object" || push === null) throw new TypeError('classicPush: pass an object like { account: "user_1", data: { text: "hello" } }');
    const { account, data, nonce = randomUUID() } = push;
    checkAccount("classicPush: account", account);
    if (typeof nonce !== "string" || nonce === "") throw new TypeError("classicPush: nonce must be a non-empty string");
    const fields = { app_key: appKey, send_to: account, message: dataText("classicPush", data), nonce };
    const form: components["schemas"]["ClassicPushForm"] & Record<string, string> = { ...fields, sign: sign(fields, appSecret) };
    const body = { type: "application/x-www-form-urlencoded", text: new URLSearchParams(form).toString() } as const;
    return send({ operation: "classicPush", method: "POST", path: PATH, body, bearer: false, repeatable: false, read: readReply }, push);
  };
}

/** The classic API answers HTTP 200 whatever happened: `error` tells. */
function readReply(answer: Answer): void {
  const { body } = answer;
  if (!isReply(body)) throw foreignError(answer);
  if (body.error !== ErrorCode.OK) throw apiError(answer, { code: body.error, message: body.message });
}

function isReply(value: unknown): value is WireReply {
  return isObject(value) && typeof value.error === "number" && typeof value.message === "string";
}
