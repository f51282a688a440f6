// The shape of the code: ranks, cycles, owners of dependencies, the wall of 400 lines, and no silenced test.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layerProblems, unrunTests } from "./layers.ts";
import { readSources } from "./sources.ts";

const isCode = (file: string): boolean => /^(server|sdk-node|sdk-browser|test|examples|\.ci)\//.test(file) && /\.(ts|js|mjs|cjs|html|css)$/.test(file);

/** What the rules say of planted files. */
function problems(files: Record<string, string>): string[] {
  return layerProblems(new Map(Object.entries(files).map(([file, text]) => [file, `// A planted file.\n${text}\n`])));
}

describe("the code's shape", () => {
  it("is kept by every file of the repository", () => {
    const sources = readSources(isCode);
    assert.ok(sources.size > 50, `${sources.size} files were found`);
    assert.deepEqual(layerProblems(sources), []);
  });

  it("allows the own folder and lower ranks only", () => {
    assert.deepEqual(problems({ "server/src/hub/a.ts": 'import "./b.ts"; import "../errors.ts"; import "../auth/jwt.ts"; import "node:fs";' }), []);
    assert.deepEqual(problems({ "server/src/hub/a.ts": 'import "../exchange/exchange.ts";' }), [
      "server/src/hub/a.ts:2: hub (rank 4) imports server/src/exchange/exchange.ts (rank 4); only lower ranks are allowed",
    ]);
    for (const line of [
      'import type { A } from "../server.ts";',
      'export * from "../server.ts";',
      'const a = import("../server.ts");',
      'type A = import("../server.ts").A;',
    ])
      assert.match(problems({ "server/src/http/a.ts": line }).join(), /a\.ts:2: http \(rank 6\) imports server\/src\/server\.ts \(rank 7\)/, line);
    assert.deepEqual(problems({ "server/src/engine/a.ts": 'import "../errors.ts";' }), ['server/src/engine/a.ts:2: "engine" has no rank']);
  });

  it("refuses import cycles", () => {
    const planted = {
      "server/src/hub/a.ts": 'import "./b.ts";',
      "server/src/hub/b.ts": 'import type { C } from "./c.ts";',
      "server/src/hub/c.ts": 'import "./a.ts";',
    };
    assert.deepEqual(problems(planted), ["import cycle: server/src/hub/a.ts → server/src/hub/b.ts → server/src/hub/c.ts → server/src/hub/a.ts"]);
  });

  it("refuses a dependency outside the room that owns it", () => {
    assert.deepEqual(
      problems({ "server/src/ws/a.ts": 'import { WebSocketServer } from "ws";', "server/src/http/b.ts": 'import type { Gauge } from "prom-client";' }),
      [],
    );
    assert.deepEqual(
      problems({ "server/src/publish/a.ts": 'import "ws";', "sdk-browser/src/b.ts": 'import "ws/lib/x.js";', "server/src/hub/c.ts": 'import "left-pad";' }),
      [
        "server/src/publish/a.ts:2: ws may not be loaded here; it belongs to ws, hub, cli",
        "sdk-browser/src/b.ts:2: ws may not be loaded here",
        "server/src/hub/c.ts:2: left-pad may not be loaded here; it belongs to no room yet",
      ],
    );
  });

  it("refuses imports between the server and the SDKs", () => {
    for (const [file, name] of Object.entries({
      "server/src/cli/a.ts": "@xlvein/node",
      "server/src/cli/b.ts": "../../../sdk-node/src/index.ts",
      "sdk-node/src/c.ts": "../../sdk-browser/src/index.ts",
      "sdk-browser/src/d.ts": "../../server/src/errors.ts",
      "sdk-node/src/e.ts": "../../test/helpers/server.ts",
    }))
      assert.match(problems({ [file]: `import "${name}";` }).join(), /which is not its own/, file);
    assert.deepEqual(problems({ "test/http/a.test.ts": 'import "@xlvein/node"; import "../../server/src/errors.ts";' }), []);
  });

  it("refuses files above 400 lines, vague names and a first line that is no comment", () => {
    const long = "\n".repeat(400);
    assert.deepEqual(problems({ "server/src/hub/a.ts": long, "server/src/generated/b.ts": long, "test/hub/c.test.ts": long }), [
      "server/src/hub/a.ts has 402 lines, more than 400: split it",
    ]);
    assert.deepEqual(problems({ "sdk-node/src/utils/a.ts": "", "server/src/hub/helpers.ts": "", "test/helpers/c.ts": "" }).length, 2);
    assert.deepEqual(layerProblems(new Map([["server/src/hub/a.ts", 'import "./b.ts";\n']])), [
      "server/src/hub/a.ts: the first line is not a comment that tells the file's purpose",
    ]);
  });

  it("refuses functions above 80 lines, not counting those inside", () => {
    const lines = (count: number): string => "  run();\n".repeat(count);
    const inner = `  function inner() {\n${lines(70)}  }\n`;
    assert.deepEqual(problems({ "server/src/hub/a.ts": `function outer() {\n${inner}${lines(70)}}` }), []);
    assert.deepEqual(problems({ "server/src/hub/a.ts": `const outer = () => {\n${lines(79)}};` }), [
      "server/src/hub/a.ts:2: a function of 81 lines, more than 80",
    ]);
  });

  it("refuses any and silenced checks without a reason", () => {
    assert.deepEqual(problems({ "server/src/hub/a.ts": "let a: any;" }), ["server/src/hub/a.ts:2: any"]);
    assert.deepEqual(
      problems({ "server/src/hub/a.ts": "// biome-ignore lint/suspicious/noExplicitAny: the library's own signature takes any.\nlet a: any;" }),
      [],
    );
    for (const comment of ["@ts-ignore", "@ts-expect-error wrong", "@ts-nocheck", "biome-ignore lint/style/useConst: x"])
      assert.match(problems({ "server/src/hub/a.ts": `// ${comment}` }).join(), /without a sentence that says why/, comment);
  });

  it("refuses tests that do not run", () => {
    assert.deepEqual(unrunTests(readSources((file) => /^test\/.*\.ts$/.test(file))), []);
    const planted = [
      "it.only('a', () => {});",
      "describe.skip('a', () => {});",
      "test('a', { todo: true }, () => {});",
      "it('a', { skip: onMac }, () => {});",
      "it('a', (t) => { t.skip(); });",
    ];
    for (const line of planted) assert.equal(unrunTests(new Map([["test/a.test.ts", line]])).length, 1, line);
    assert.deepEqual(unrunTests(new Map([["test/a.test.ts", "it('a', { timeout: 1 }, () => { list.skip(3); });"]])), []);
  });
});
