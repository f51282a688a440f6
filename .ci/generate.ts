// Writes the generated types of every package from the openapi.yaml of the current folder; `--check` fails when one is stale.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import { parse } from "yaml";

interface EnumSchema {
  description?: string;
  enum: (number | string)[];
  "x-enum-varnames": string[];
  "x-enum-descriptions": string[];
}

const HEADER = "// Generated from openapi.yaml by `npm run generate`. Do not edit.\n";
const source = await readFile("openapi.yaml", "utf8");
const schemas = parse(source, { merge: true }).components.schemas as Record<string, EnumSchema>;
const types = astToString(await openapiTS(pathToFileURL(resolve("openapi.yaml"))));

/** `export const Name = { VAR: 1, … } as const`, each member with its description. */
function constants(name: string): string {
  const schema = schemas[name];
  if (!schema) throw new Error(`openapi.yaml: components.schemas.${name} is missing`);
  const { enum: values, "x-enum-varnames": names, "x-enum-descriptions": descriptions } = schema;
  if (values.length !== names.length || values.length !== descriptions.length)
    throw new Error(`openapi.yaml: ${name} has ${values.length} values, ${names.length} names, ${descriptions.length} descriptions`);
  const members = values.map((value, i) => `  /** ${descriptions[i]} */\n  ${names[i]}: ${value},\n`).join("");
  return `export const ${name} = {\n${members}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];\n`;
}

const outputs: Record<string, string> = {
  "server/src/generated/openapi.ts": `${HEADER}${types}`,
  "server/src/generated/codes.ts": `${HEADER}${constants("ErrorCode")}\n${constants("CloseCode")}`,
  "sdk-node/src/generated/openapi.ts": `${HEADER}${types}`,
  "sdk-node/src/generated/codes.ts": `${HEADER}${constants("ErrorCode")}`,
  "sdk-browser/src/generated/openapi.ts": `${HEADER}${types}`,
};

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const [file, text] of Object.entries(outputs)) {
  if ((await readFile(file, "utf8").catch(() => "")) === text) continue;
  stale.push(file);
  if (check) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
if (check && stale.length > 0) {
  console.error(`Stale: ${stale.join(", ")}. Run \`npm run generate\` and commit.`);
  process.exit(1);
}
