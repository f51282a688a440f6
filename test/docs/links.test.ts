// Every relative link of every document leads somewhere.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { anchors, links, markdownFiles, ROOT, readDocument } from "./markdown.ts";

/** Why a link of `file` leads nowhere; `undefined` when it is fine. */
function fault(file: string, target: string): string | undefined {
  const [path = "", anchor] = decodeURI(target).split("#");
  const to = path === "" ? file : join(dirname(file), path);
  if (!existsSync(join(ROOT, to))) return `${file}: ${target}: no such file`;
  if (anchor === undefined) return undefined;
  if (!to.endsWith(".md") || statSync(join(ROOT, to)).isDirectory()) return `${file}: ${target}: only Markdown files have anchors`;
  return anchors(readDocument(to)).has(anchor) ? undefined : `${file}: ${target}: no such heading`;
}

test("every relative link and anchor in every document resolves", () => {
  const files = markdownFiles();
  assert.ok(files.length >= 8, `only ${files.length} documents found`);
  const all = files.flatMap((file) =>
    links(readDocument(file))
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => ({ file, target })),
  );
  assert.ok(all.length > 30, `only ${all.length} links found`);
  assert.deepEqual(
    all.map(({ file, target }) => fault(file, target)).filter((text) => text !== undefined),
    [],
  );
});

test("the check itself sees a missing file and a missing heading", () => {
  assert.match(fault("README.md", "no/such.md") ?? "", /no such file/);
  assert.match(fault("README.md", "PROTOCOL.md#no-such-heading") ?? "", /no such heading/);
});
