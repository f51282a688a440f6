// Pushing with few requests: what is pushed at about the same time goes together.
import { type Message, messageText } from "./message.ts";
import type { Gathering } from "./options.ts";
import type { Push, PushResult } from "./push.ts";
import type { PushManyResult, SendTexts } from "./push-many.ts";

/** What waits for the next request. */
interface Waiting {
  readonly text: string;
  readonly resolve: (result: PushResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Wraps the function that pushes one message. A push with a `signal` or a `timeoutMs` of its own still goes alone; the others wait for each other.
 */
export function createGather(
  pushAlone: (push: Push) => Promise<PushResult>,
  sendTexts: SendTexts,
  { maxMessages, maxDelayMs }: Gathering,
): (push: Push) => Promise<PushResult> {
  let waiting: Waiting[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    void settle(
      batch,
      sendTexts(
        batch.map(({ text }) => text),
        {},
      ),
    );
  }

  function add(message: Message): Promise<PushResult> {
    const text = messageText("push", message);
    return new Promise((resolve, reject) => {
      waiting.push({ text, resolve, reject });
      if (waiting.length >= maxMessages) flush();
      else timer ??= setTimeout(flush, maxDelayMs);
    });
  }

  return async (push) => (push?.signal !== undefined || push?.timeoutMs !== undefined ? pushAlone(push) : add(push));
}

async function settle(batch: readonly Waiting[], sending: Promise<PushManyResult[]>): Promise<void> {
  try {
    const results = await sending;
    for (const [i, { resolve, reject }] of batch.entries()) {
      const result = results[i];
      if (result === undefined || result.error !== undefined) reject(result?.error);
      else resolve(result);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
