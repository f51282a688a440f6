// How the doctor asks a server: HTTP and WebSocket, whoever signed its certificate.
import { EventEmitter, once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text as readAll } from "node:stream/consumers";
import WebSocket from "ws";
import { V2 } from "../protocol/frames.ts";
import { TOKEN_PREFIX } from "../ws/subprotocol.ts";
import { type Answer, parseObject, unreachable } from "./call.ts";

/** Every wait of the doctor, milliseconds. */
const WAIT_MS = 10_000;

export interface AskOptions {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
  /** Takes any certificate. */
  insecure: boolean;
}

/** Sends a request. Throws a sentence that names the address when no answer comes. */
export async function ask(url: string, { method = "GET", headers = {}, body, insecure }: AskOptions): Promise<Answer> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const call = send(url, { method, headers: { ...headers, ...length }, agent: false, rejectUnauthorized: !insecure, timeout: WAIT_MS });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      call.once("response", resolve);
      call.once("timeout", () => call.destroy(new Error("no answer in time")));
      call.on("error", reject);
      call.end(body);
    });
    return { status: response.statusCode ?? 0, text: await readAll(response) };
  } catch (error) {
    throw new Error(unreachable(url, error));
  }
}

/** A frame of the full protocol, as it came. */
export type Frame = Readonly<Record<string, unknown>>;

/** A connection of the full protocol. */
export interface Visit {
  /** The next frame that fits; those before it are dropped. Throws a sentence when none comes in time. */
  next(what: string, fits: (frame: Frame) => boolean): Promise<Frame>;
  /** Ends it without a word, as a network does. */
  cut(): void;
}

/** Opens a connection; a handshake that is refused shows in `next`. */
export function visit(url: string, token: string, insecure: boolean): Visit {
  const socket = new WebSocket(url, [V2, `${TOKEN_PREFIX}${token}`], { handshakeTimeout: WAIT_MS, rejectUnauthorized: !insecure });
  const news = new EventEmitter();
  const frames: Frame[] = [];
  let over: string | undefined;
  const end = (why: string) => {
    over ??= why;
    news.emit("news");
  };
  socket.on("message", (data) => {
    frames.push(parseObject(String(data)));
    news.emit("news");
  });
  socket.on("error", (error) => end(unreachable(url, error)));
  socket.on("close", (code, reason) => end(`the server closed the connection: ${code}${reason.length > 0 ? ` ${reason}` : ""}`));

  async function next(what: string, fits: (frame: Frame) => boolean): Promise<Frame> {
    const signal = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      for (let frame = frames.shift(); frame; frame = frames.shift()) if (fits(frame)) return frame;
      if (over !== undefined) throw new Error(over);
      await once(news, "news", { signal }).catch(() => {
        throw new Error(`${what} has not come within ${WAIT_MS / 1000} s`);
      });
    }
  }
  return { next, cut: () => socket.terminate() };
}
