// Pushing one message.
import { type Answer, foreignError, isObject } from "./answer.ts";
import type { components, paths } from "./generated/openapi.ts";
import { type Message, type MessageOptions, messageText } from "./message.ts";
import type { CallOptions, Send } from "./transport.ts";

/** One message, and how to send it. */
export type Push = Message & CallOptions;

/** What a message may be given beside its receivers and its data, and how to send it. */
export type PublishOptions = MessageOptions & CallOptions;

/** The server has accepted the message and handed it to every node that holds one of the receivers. */
export interface PushResult {
  /** The message's id, as clients receive it. */
  readonly msgId: string;
  /** The idempotency key was seen before, and nothing was delivered again. Also true when a retry found that the first attempt had arrived. */
  readonly duplicate: boolean;
  /** Where the message stands in each stream: those of the accounts, those of the rooms, then everyone's, in the order of the call. Absent where the server's store keeps no streams. */
  readonly streams?: readonly StreamPosition[];
}

/** A place in the stream of an account, of a room, or (with neither) of everyone. */
export interface StreamPosition {
  readonly account?: string;
  readonly room?: string;
  /** Names the stream; another epoch means that the store has lost or replaced it. */
  readonly epoch: string;
  /** Counts the messages of the epoch without a gap, from 1. */
  readonly offset: number;
}

const PATH: keyof paths = "/api/v1/messages";

/** Answers the function that pushes one message. @param operation the method that it is called by */
export function createPush(send: Send, operation = "push"): (push: Push) => Promise<PushResult> {
  return async (push) => {
    const text = messageText(operation, push);
    return send({ operation, method: "POST", path: PATH, body: { type: "application/json", text }, read: readResult }, push);
  };
}

/** Answers the function that pushes to everyone who is connected to the application. */
export function createBroadcast(send: Send): (data: object, options?: PublishOptions) => Promise<PushResult> {
  const push = createPush(send, "broadcast");
  return async (data, options = {}) => push({ ...options, everyone: true, data });
}

function readResult(answer: Answer): PushResult {
  const { body } = answer;
  if (!isPushResult(body)) throw foreignError(answer);
  return pushResult(body);
}

/** From the wire's spelling to ours. */
export function pushResult({ msg_id, duplicate, streams }: components["schemas"]["PushResult"]): PushResult {
  const result = { msgId: msg_id, duplicate };
  return streams ? { ...result, streams: streams.map(streamPosition) } : result;
}

function streamPosition({ account, room, epoch, offset }: components["schemas"]["StreamPosition"]): StreamPosition {
  return { ...(account !== undefined && { account }), ...(room !== undefined && { room }), epoch, offset };
}

export function isPushResult(value: unknown): value is components["schemas"]["PushResult"] {
  if (!isObject(value) || typeof value.msg_id !== "string" || typeof value.duplicate !== "boolean") return false;
  return value.streams === undefined || (Array.isArray(value.streams) && value.streams.every(isStreamPosition));
}

function isStreamPosition(value: unknown): value is components["schemas"]["StreamPosition"] {
  if (!isObject(value)) return false;
  const { account = "", room = "", epoch, offset } = value;
  return typeof account === "string" && typeof room === "string" && typeof epoch === "string" && typeof offset === "number";
}
