// `xlvein version`: what runs here.
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Io } from "./io.ts";

/** The version of this package. */
export const version: string = readVersion();

function readVersion(): string {
  // Two folders up from src/cli and dist/cli alike.
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) throw new Error("package.json holds no version");
  return String(manifest.version);
}

export function addVersion(program: Command, io: Io): void {
  program
    .command("version")
    .description("print the versions of xlvein and Node.js, and the platform")
    .option("--json", "print {version, node, platform}")
    .action(({ json }: { json?: true }) => {
      const about = { version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
      io.out(json ? JSON.stringify(about) : `xlvein ${about.version} (Node.js ${about.node}, ${about.platform})`);
    });
}
