// Fills dist/assets with the files that the server hands to browsers, once packages and console script are built.
import { cp, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";

interface Asset {
  /** Below `server/dist/assets`. */
  readonly to: string;
  /** Below the repository. */
  readonly from: string;
  /** What makes it, for whoever finds it missing. */
  readonly madeBy: string;
}

const SOURCE = "it is part of the repository: restore it";
const BUILD = "run `npm run build` at the root, which builds the packages before it copies";
const INSTALL = "run `npm ci`";

const copies: readonly Asset[] = [
  { to: "sdk.js", from: "sdk-browser/dist/xlvein.iife.js", madeBy: BUILD },
  ...["index.html", "theme.css", "controls.css", "page.css", "pane.css", "log.css", "icon.svg"].map((file) => ({
    to: `console/${file}`,
    from: `server/console/${file}`,
    madeBy: SOURCE,
  })),
  ...["index.html", "docs.css", "docs.js"].map((file) => ({ to: `docs/${file}`, from: `server/docs/${file}`, madeBy: SOURCE })),
  // Only the bundle with its licences: nothing else of the package is needed, its telemetry least of all.
  ...["swagger-ui-bundle.js", "swagger-ui.css", "swagger-ui-bundle.js.LICENSE.txt", "LICENSE", "NOTICE"].map((file) => ({
    to: `docs/${file}`,
    from: `node_modules/swagger-ui-dist/${file}`,
    madeBy: INSTALL,
  })),
];
const others = [
  { from: "openapi.yaml", madeBy: SOURCE },
  { from: "server/dist/assets/console/console.js", madeBy: BUILD },
];

/** Copies every asset below `root`. Rejects with a sentence that names the first file that is missing and what makes it. */
export async function buildAssets(root: string): Promise<void> {
  for (const { from, madeBy } of [...copies, ...others]) {
    const found = await stat(join(root, from)).catch(() => undefined);
    if (!found?.isFile()) throw new Error(`${from} is missing: ${madeBy}`);
  }
  const assets = join(root, "server/dist/assets");
  for (const { to, from } of copies) {
    const target = join(assets, to);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(root, from), target);
  }
  await writeFile(join(assets, "openapi.yaml"), withoutMerges(await readFile(join(root, "openapi.yaml"), "utf8")));
}

/** The same description without `<<`: YAML 1.2 has no merge keys, and Swagger UI, like many generators, silently drops what they bring. */
function withoutMerges(text: string): string {
  return stringify(parse(text, { merge: true }), { aliasDuplicateObjects: false, lineWidth: 0 });
}

if (import.meta.main) {
  await buildAssets(join(import.meta.dirname, "..")).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
