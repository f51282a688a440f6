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
  /** Where the message stands in each account's stream, in the order of the accounts. Absent where the server's store keeps no streams. */
  readonly streams?: readonly StreamPosition[];
}

/** A place in the stream of an account. */
export interface StreamPosition {
  readonly account: string;
  /** Names the stream; another epoch means that the store has lost or replaced it. */
  readonly epoch: string;
  /** Counts the messages of the epoch without a gap, from 1. */
  readonly offset: number;
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
export function pushResult({ msg_id, duplicate, streams }: components["schemas"]["PushResult"]): PushResult {
  const result = { msgId: msg_id, duplicate };
  return streams ? { ...result, streams: streams.map(({ account, epoch, offset }) => ({ account, epoch, offset })) } : result;
}

export function isPushResult(value: unknown): value is components["schemas"]["PushResult"] {
  if (!isObject(value) || typeof value.msg_id !== "string" || typeof value.duplicate !== "boolean") return false;
  return value.streams === undefined || (Array.isArray(value.streams) && value.streams.every(isStreamPosition));
}

function isStreamPosition(value: unknown): value is components["schemas"]["StreamPosition"] {
  return isObject(value) && typeof value.account === "string" && typeof value.epoch === "string" && typeof value.offset === "number";
}
