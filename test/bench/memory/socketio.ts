// The peer: socket.io with a token, as the connect scenario has it.
import { answerRss } from "./rss.ts";

answerRss();
await import("../connect/socketio-auth.ts");
