// The classic protocol: a message per text frame, no answers (PROTOCOL.md, "Frames").
import { XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import type { Message, Protocol } from "./protocol.ts";

type ClassicMessage = components["schemas"]["ClassicMessage"];
type ClassicSend = components["schemas"]["ClassicSend"];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

export const classic: Protocol = { subprotocols: [], read, write };

function read(frame: string): Message | undefined {
  const wire = parse(frame);
  if (!isMessage(wire)) return undefined;
  return {
    from: wire.from || undefined,
    to: wire.to,
    // Servers of the first generation leave the 0 out.
    event: wire.event ?? 0,
    data: wire.data,
    msgId: wire.msg_id,
    sendAt: wire.send_at,
    conversationId: wire.conversation_id || undefined,
  };
}

function write(to: string, data: object): string {
  if (typeof to !== "string" || !to) throw new XlveinError("bad_message", "to: must be an account");
  if (!isObject(data)) throw new XlveinError("bad_message", "data: must be an object");
  try {
    return JSON.stringify({ to, data } satisfies ClassicSend);
  } catch (cause) {
    throw new XlveinError("bad_message", `data: cannot be written as JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame);
  } catch {
    return undefined;
  }
}

function isMessage(wire: unknown): wire is ClassicMessage {
  return isObject(wire) && typeof wire.to === "string" && isObject(wire.data) && typeof wire.msg_id === "string" && typeof wire.send_at === "number";
}
