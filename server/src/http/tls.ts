// The certificate of the listener, read again when its files change.
import { readFileSync, watch } from "node:fs";
import type { Server } from "node:https";
import { dirname } from "node:path";
import { createSecureContext } from "node:tls";
import type { TlsFiles } from "../config/config.ts";
import type { Log } from "../log.ts";

export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const SETTLE_MS = 200;

/** Reads and checks both files. Throws a sentence that names the file at fault. */
export function readKeyPair({ cert, key }: TlsFiles): KeyPair {
  const pair = { cert: read("tls.cert", cert), key: read("tls.key", key) };
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new Error(`tls.cert ${cert} and tls.key ${key} do not make a key pair: ${(cause as Error).message}`, { cause });
  }
  return pair;
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Error(`${name}: ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** Follows the files' directories (mounted Secrets swap a link there); a bad pair never replaces a good one. Returns a function that stops. */
export function watchKeyPair(server: Server, files: TlsFiles, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined;
  const reload = () => {
    try {
      server.setSecureContext(readKeyPair(files));
      log.info({ event: "certificate loaded", cert: files.cert });
    } catch (error) {
      log.error({ event: "certificate refused", message: (error as Error).message });
    }
  };
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(reload, SETTLE_MS);
    timer.unref();
  };
  const watchers = [...new Set([dirname(files.cert), dirname(files.key)])].map((directory) => watch(directory, { persistent: false }, changed));
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
