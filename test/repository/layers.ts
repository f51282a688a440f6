// The rules of the code's shape: who may import whom, how long a file may be, and what may not be written.
import ts from "typescript";
import { type Import, importsOf, lineOf, parse, type Sources, walk } from "./sources.ts";

/** A file of server/src imports from its own folder or from a lower rank; rank 0 has an order of its own. */
const RANKS: Readonly<Record<string, number>> = {
  generated: 0,
  "deadline.ts": 0.1,
  "errors.ts": 0.1,
  "flat.ts": 0.1,
  "log.ts": 0.1,
  protocol: 0.2,
  config: 1,
  metrics: 1,
  kubernetes: 1,
  apps: 2,
  auth: 3,
  limits: 3,
  redis: 3,
  hub: 4,
  exchange: 4,
  store: 4,
  webhook: 4,
  publish: 5,
  recover: 5,
  presence: 5,
  control: 5,
  rebalance: 5,
  http: 6,
  ws: 6,
  "server.ts": 7,
  operator: 8,
  cli: 9,
};

/** Which rooms of server/src load a dependency. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  "@kubernetes/client-node": ["operator"],
  ajv: ["http"],
  amqplib: ["exchange"],
  commander: ["cli"],
  convict: ["config"],
  "fastest-levenshtein": ["config", "cli"],
  fastify: ["http"],
  "fastify-openapi-glue": ["http"],
  ioredis: ["redis", "exchange", "store"],
  jsonwebtoken: ["auth", "cli"],
  pino: ["log.ts"],
  "prom-client": ["metrics"],
  ws: ["ws", "hub", "cli"],
  yaml: ["config", "http", "cli"],
};

const SDK_DEPENDENCIES: Readonly<Record<string, readonly string[]>> = {
  "sdk-node": ["jsonwebtoken"],
  "sdk-browser": ["react"],
};

const MAX_LINES = 400;
/** Of one function, without the functions inside it. */
const MAX_FUNCTION_LINES = 80;
const WALLED = /^(server\/(src|console)|sdk-node\/src|sdk-browser\/src)\/(?!generated\/).*\.(ts|js|html|css)$/;
const VAGUE = new Set(["utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "shared"]);
const SERVER = "server/src/";

/** Every breach, as a sentence with file and line. */
export function layerProblems(sources: Sources): string[] {
  const code = [...sources].filter(([file]) => /\.(ts|js|mjs|cjs)$/.test(file) && !file.includes("/generated/"));
  const imports = code.flatMap(([file, text]) => importsOf(file, text));
  return [
    ...[...sources].flatMap(([file, text]) => [...wall(file, text), ...folderName(file)]),
    ...code.flatMap(([file, text]) => [...firstLine(file, text), ...suppressions(file, text), ...longFunctions(file, text)]),
    ...imports.flatMap((found) => [...rank(found), ...crossing(found), ...owner(found)]),
    ...cycles(imports),
  ];
}

function wall(file: string, text: string): string[] {
  const lines = text.split("\n").length - 1;
  return WALLED.test(file) && lines > MAX_LINES ? [`${file} has ${lines} lines, more than ${MAX_LINES}: split it`] : [];
}

/** A factory is as long as its own statements: each function that it returns or uses counts for itself. */
function longFunctions(file: string, text: string): string[] {
  if (!WALLED.test(file)) return [];
  const source = parse(file, text);
  const found: string[] = [];
  const linesOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.end).line + 2 - lineOf(source, node);
  const visit = (node: ts.Node): number => {
    let inner = 0;
    ts.forEachChild(node, (child) => {
      inner += visit(child);
    });
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return inner;
    const lines = linesOf(node);
    if (lines - inner > MAX_FUNCTION_LINES)
      found.push(`${file}:${lineOf(source, node)}: a function of ${lines - inner} lines, more than ${MAX_FUNCTION_LINES}`);
    return lines;
  };
  visit(source);
  return found;
}

function folderName(file: string): string[] {
  const vague = file.split("/").find((part) => VAGUE.has(part.replace(/\..*$/, "")));
  return vague === undefined || file.startsWith("test/helpers/") ? [] : [`${file}: "${vague}" says nothing about what is inside`];
}

function firstLine(file: string, text: string): string[] {
  const line = text.startsWith("#!") ? text.split("\n")[1] : text;
  return /^\/[/*]/.test(line ?? "") ? [] : [`${file}: the first line is not a comment that tells the file's purpose`];
}

/** server/src/hub/hub.ts → "hub"; server/src/log.ts → "log.ts". */
function room(file: string): string | undefined {
  return file.startsWith(SERVER) ? file.slice(SERVER.length).split("/")[0] : undefined;
}

function rank({ from, line, to, isFile }: Import): string[] {
  const own = room(from);
  const other = isFile ? room(to) : undefined;
  if (own === undefined || other === undefined || own === other) return [];
  const [ownRank, otherRank] = [RANKS[own], RANKS[other]];
  if (ownRank === undefined || otherRank === undefined)
    return [own, other].filter((name) => RANKS[name] === undefined).map((name) => `${from}:${line}: "${name}" has no rank`);
  return otherRank < ownRank ? [] : [`${from}:${line}: ${own} (rank ${ownRank}) imports ${to} (rank ${otherRank}); only lower ranks are allowed`];
}

/** The packages agree through openapi.yaml, never by importing each other. Tests may import everything. */
function crossing({ from, line, to, isFile }: Import): string[] {
  const own = workspace(from);
  if (own === undefined) return [];
  const other = isFile
    ? workspace(to)
    : { xlvein: "server", "@xlvein/node": "sdk-node", "@xlvein/browser": "sdk-browser" }[
        to
          .split("/")
          .slice(0, to.startsWith("@") ? 2 : 1)
          .join("/")
      ];
  const outside = isFile && other === undefined;
  if (!outside && (other === undefined || other === own)) return [];
  return [`${from}:${line}: ${own} imports ${to}, which is not its own`];
}

function workspace(file: string): string | undefined {
  return /^(server|sdk-node|sdk-browser)\//.exec(file)?.[1];
}

function owner({ from, line, to, isFile, isType }: Import): string[] {
  const own = workspace(from);
  if (isFile || isType || own === undefined || to.startsWith("node:") || !/\/src\//.test(from)) return [];
  const name = to.split("/", to.startsWith("@") ? 2 : 1).join("/");
  const problem = `${from}:${line}: ${name} may not be loaded here`;
  if (own !== "server") return SDK_DEPENDENCIES[own]?.includes(name) ? [] : [problem];
  return OWNERS[name]?.includes(room(from) ?? "") ? [] : [`${problem}; it belongs to ${OWNERS[name]?.join(", ") ?? "no room yet"}`];
}

/** Each circle once, as the list of its files. */
function cycles(imports: readonly Import[]): string[] {
  const targets = Map.groupBy(
    imports.filter(({ isFile }) => isFile),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) found.push(`import cycle: ${[...trail.slice(start), file].join(" → ")}`);
    if (start >= 0 || done.has(file)) return;
    for (const { to } of targets.get(file) ?? []) visit(to, [...trail, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}

/** `any`, and comments that silence the compiler or the linter, carry a sentence that says why. */
function suppressions(file: string, text: string): string[] {
  const found: string[] = [];
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    const comment = /\/[/*]+\s*(@ts-ignore|@ts-nocheck|@ts-expect-error|biome-ignore(?:-all)?\s+[\w/]+:?)(.*)/.exec(line);
    if (comment && !isSentence(comment[2] ?? "")) found.push(`${file}:${index + 1}: ${comment[1]} without a sentence that says why`);
  });
  const source = parse(file, text);
  walk(source, (node) => {
    if (node.kind !== ts.SyntaxKind.AnyKeyword) return;
    const line = lineOf(source, node);
    if (!/biome-ignore .*noExplicitAny: /.test(lines[line - 2] ?? "")) found.push(`${file}:${line}: any`);
  });
  return found;
}

function isSentence(text: string): boolean {
  return text.trim().split(/\s+/).length >= 3;
}

/** Tests that would not run: `.only`, `.skip` and `.todo` of a test, a suite or a context, and the options of the same names. */
export function unrunTests(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    const source = parse(file, text);
    const report = (node: ts.Node, name: string): number => found.push(`${file}:${lineOf(source, node)}: ${name}`);
    walk(source, (node) => {
      if (!ts.isCallExpression(node)) return;
      const called = node.expression;
      if (
        ts.isPropertyAccessExpression(called) &&
        isUnrun(called.name.text) &&
        ts.isIdentifier(called.expression) &&
        /^(test|it|describe|suite|t|context)$/.test(called.expression.text)
      )
        report(node, called.getText(source));
      if (!ts.isIdentifier(called) || !/^(test|it|describe|suite)$/.test(called.text)) return;
      for (const property of node.arguments.filter(ts.isObjectLiteralExpression).flatMap((options) => [...options.properties]))
        if (property.name !== undefined && isUnrun(property.name.getText(source))) report(property, `${called.text}(…, { ${property.name.getText(source)} })`);
    });
  }
  return found;
}

function isUnrun(name: string): boolean {
  return name === "only" || name === "skip" || name === "todo";
}
