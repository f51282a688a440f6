// The checkers that judge the whole repository: types, lint and format, the API description.
import assert from "node:assert/strict";
import { test } from "node:test";
import { command } from "./command.ts";

const checks = {
  "every package, every test and the console have sound types": ["tsc", "-b", ".", "server/console"],
  "the repository's own scripts have sound types": ["tsc", "-p", ".ci"],
  "lint and format find nothing": ["biome", "check", "--config-path=.ci", "--error-on-warnings", "--diagnostic-level=warn"],
  "the API description follows the rules": ["redocly", "lint", "openapi.yaml", "--config=.ci/redocly.yaml", "--format=stylish"],
};

for (const [name, [program = "", ...args]] of Object.entries(checks))
  test(name, async () => {
    const { code, stdout, stderr } = await command(program, args);
    assert.equal(code, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
  });
