// What is at a path: so that a wrong method gets 405 with the right ones, and a wrong path 404.
import type { FastifyInstance } from "fastify";
import { ErrorCode, XlveinError } from "../errors.ts";

/** The error for a request that no route takes, and the methods that its path knows. */
export interface Missed {
  readonly error: XlveinError;
  /** For the `Allow` header; empty where there is nothing. */
  readonly allow: string;
}

/** Watches the routes that are added from now on. */
export function watchPaths(app: FastifyInstance): (method: string, url: string) => Missed {
  const paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook("onRoute", ({ url, method }) => {
    const known = paths.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() };
    for (const name of [method].flat()) known.methods.add(name);
    paths.set(url, known);
  });

  return (method, url) => {
    const path = url.split("?", 1)[0] ?? "";
    const allowed = new Set([...paths.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]));
    if (allowed.size === 0) return { error: new XlveinError(ErrorCode.NOT_FOUND, "there is nothing at this path"), allow: "" };
    const allow = [...allowed].sort().join(", ");
    return { error: new XlveinError(ErrorCode.METHOD_NOT_ALLOWED, `${method} is not possible here; use ${allow}`), allow };
  };
}

function toPattern(url: string): RegExp {
  const parts = url.split("/").map((part) => (part.startsWith(":") ? "[^/]+" : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${parts.join("/")}$`);
}
