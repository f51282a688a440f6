// A reporter for node's test runner: one line of JSON for each result, for the tally.
import { basename } from "node:path";
import type { TestEvent } from "node:test/reporters";

/** One line of the report. */
export type Line = { passed: string } | { failed: string; message: string } | { output: string };

/** What the runner's events tell about one test or suite. */
interface Result {
  name: string;
  nesting: number;
  file?: string;
  skip?: string | boolean;
  todo?: string | boolean;
  details: { type?: string; error?: Error & { failureType?: string; exitCode?: number; signal?: string } };
}

/** Writes the lines; a test that is skipped or left to do has failed, and so has a file without a test. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path: string[] = [];
  for await (const { type, data } of events) {
    if (type === "test:start") path.splice(data.nesting, path.length, data.name);
    else if (type === "test:pass" || type === "test:fail") yield* write(judge(type === "test:pass", data as Result, path));
    else if (type === "test:stderr" || type === "test:stdout") yield* write({ output: data.message });
    else if (type === "test:diagnostic" && data.file !== undefined) yield* write({ output: `${data.message}\n` });
  }
}

function* write(line: Line | undefined): Generator<string> {
  if (line !== undefined) yield `${JSON.stringify(line)}\n`;
}

function judge(passed: boolean, result: Result, path: readonly string[]): Line | undefined {
  const { name, nesting, file, skip, todo, details } = result;
  const title = [...path.slice(0, nesting), name].join(" > ");
  const isFile = nesting === 0 && file !== undefined && (file === name || basename(file) === basename(name));
  if (skip !== undefined && skip !== false) return { failed: title, message: `skipped: ${skip === true ? "no reason given" : skip}` };
  if (todo !== undefined && todo !== false) return { failed: title, message: `left to do: ${todo === true ? "no reason given" : todo}` };
  if (isFile && passed) return { failed: "(file)", message: "the file has no test" };
  if (isFile) return { failed: "(file)", message: `the file failed outside its tests: ${ending(details.error)}` };
  // A suite has no result of its own, unless one of its hooks failed.
  if (details.type === "suite" && (passed || details.error?.failureType === "subtestsFailed")) return undefined;
  return passed ? { passed: title } : { failed: title, message: explain(details.error) };
}

function ending(error: Result["details"]["error"]): string {
  return error?.signal ? `ended by ${error.signal}` : `exit status ${error?.exitCode ?? "unknown"}`;
}

/** The runner wraps what a test threw. */
function explain(error: Result["details"]["error"]): string {
  const thrown = error?.cause ?? error;
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.stack ?? thrown.message;
}
