// The reference: ws as the connect scenario has it.
import { answerRss } from "./rss.ts";

answerRss();
await import("../connect/bare-ws.ts");
