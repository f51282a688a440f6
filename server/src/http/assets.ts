// The files that the server shows to browsers, read once at start: what was not there then is never served.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

export interface Asset {
  /** The path it is served at. */
  readonly path: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AssetChoice {
  /** The console at `/console/`. */
  readonly console: boolean;
  /** Swagger UI at `/docs/`. */
  readonly docs: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".yaml": "application/yaml; charset=utf-8",
};

/** Readable by pages of every origin: the description of the API, and the browser SDK. */
const PUBLIC = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin", "cache-control": "public, max-age=300" };

/** A page talks to WebSockets and to its own server, and to nobody else. Swagger UI sets styles inline. */
const pagePolicy = (style: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${style}`,
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self' ws: wss:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

const page = (style: string) => ({ "content-security-policy": pagePolicy(style), "referrer-policy": "no-referrer", "cache-control": "no-cache" });

/**
 * Reads the built files: `openapi.yaml`, `sdk.js`, and the folders `console/` and `docs/` as chosen.
 * @throws Error naming the path of a file or folder that was not built
 */
export function readAssets(dir: string, choice: AssetChoice): readonly Asset[] {
  const assets = [readAsset(dir, "openapi.yaml", PUBLIC), readAsset(dir, "sdk.js", PUBLIC)];
  if (choice.console) assets.push(...readFolder(dir, "console", page("'self'")));
  if (choice.docs) assets.push(...readFolder(dir, "docs", page("'self' 'unsafe-inline'")));
  return assets;
}

/** Registers a route for each asset; `/console` and `/docs` lead to their folders, so that relative links work. */
export function serveAssets(app: FastifyInstance, assets: readonly Asset[]): void {
  for (const asset of assets) {
    app.get(asset.path, (request, reply) => sendAsset(request, reply, asset));
    if (!asset.path.endsWith("/")) continue;
    app.get(asset.path.slice(0, -1), (request, reply) => reply.redirect(asset.path + searchOf(request.url), 308));
  }
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, { body, headers }: Asset): FastifyReply {
  reply.headers(headers);
  if (request.headers["if-none-match"] === headers["etag"]) return reply.code(304).send();
  return reply.send(body);
}

function readFolder(dir: string, folder: string, headers: Asset["headers"]): Asset[] {
  const root = join(dir, folder);
  if (!existsSync(root)) throw notBuilt(root);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const assets = files.map((file) => readAsset(dir, relative(dir, join(file.parentPath, file.name)).replaceAll(sep, "/"), headers));
  const index = assets.find(({ path }) => path === `/${folder}/index.html`);
  if (!index) throw notBuilt(join(root, "index.html"));
  return [...assets, { ...index, path: `/${folder}/` }];
}

function readAsset(dir: string, name: string, headers: Asset["headers"]): Asset {
  const file = join(dir, name);
  if (!existsSync(file)) throw notBuilt(file);
  const body = readFileSync(file);
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { path: `/${name}`, body, headers: { "content-type": TYPES[extname(name)] ?? "application/octet-stream", etag, ...headers } };
}

function notBuilt(path: string): Error {
  return new Error(`${path} is missing; build the project first (npm run build)`);
}

function searchOf(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at);
}
