// Pushing one message.
import { type Answer, foreignError, isObject } from "./answer.ts";
import type { components, paths } from "./generated/openapi.ts";
import { type Message, messageText } from "./message.ts";
import type { CallOptions, Send } from "./transport.ts";

/** One message, and how to send it. */
export type Push = Message & CallOptions;

/** The server has accepted the message and handed it to every node that holds one of the accounts. */
export interface PushResult {
  /** The message's id, as clients receive it. */
  readonly msgId: string;
  /** The idempotency key was seen before, and nothing was delivered again. Also true when a retry found that the first attempt had arrived. */
  readonly duplicate: boolean;
}

const PATH: keyof paths = "/api/v1/messages";

/** Answers the function that pushes one message. */
export function createPush(send: Send): (push: Push) => Promise<PushResult> {
  return async (push) => {
    const text = messageText("push", push);
    return send({ operation: "push", method: "POST", path: PATH, body: { type: "application/json", text }, read: readResult }, push);
  };
}

function readResult(answer: Answer): PushResult {
  const { body } = answer;
  if (!isPushResult(body)) throw foreignError(answer);
  return pushResult(body);
}

/** From the wire's spelling to ours. */
export function pushResult({ msg_id, duplicate }: components["schemas"]["PushResult"]): PushResult {
  return { msgId: msg_id, duplicate };
}

export function isPushResult(value: unknown): value is components["schemas"]["PushResult"] {
  return isObject(value) && typeof value.msg_id === "string" && typeof value.duplicate === "boolean";
}
