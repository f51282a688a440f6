// The server in this process, so that it can be asked for its memory.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAppSource } from "../../../server/src/apps/sources.ts";
import { loadConfig } from "../../../server/src/config/load.ts";
import { createLog } from "../../../server/src/log.ts";
import { createServer } from "../../../server/src/server.ts";
import { configFile } from "../../helpers/server.ts";
import { answerRss } from "./rss.ts";

const directory = await mkdtemp(join(tmpdir(), "xlvein-bench-"));
const file = join(directory, "conf.yaml");
await writeFile(file, configFile({ config: { log: { level: "warn" }, exchange: { type: "local" }, store: { type: "memory" } } }));
const { config } = await loadConfig({ file, env: {}, cwd: directory });
const log = createLog({ level: "warn" });
const server = await createServer({ config, source: createAppSource({ config, configFile: file, env: {}, log }), log, version: "bench" });
const { url } = await server.listen();
await rm(directory, { recursive: true });
answerRss();
console.log(new URL(url).port);
