// The server in this process, so that it can be asked for its memory. The argument names a built server of another checkout.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configFile } from "../../helpers/server.ts";
import { answerRss } from "./rss.ts";

const [built] = process.argv.slice(2);
const load = (room: string) => import(built === undefined ? `../../../server/src/${room}.ts` : join(built, `${room}.js`));
const [{ createAppSource }, { loadConfig }, { createLog }, { createServer }] = await Promise.all(["apps/sources", "config/load", "log", "server"].map(load));

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
