// The command line: which commands there are, and how each failure ends.
import { Command, CommanderError } from "commander";
import { addBootstrapSecrets } from "./bootstrap-secrets.ts";
import { addCheckConfig } from "./check-config.ts";
import { addDev } from "./dev.ts";
import { addDoctor } from "./doctor.ts";
import { addHealth } from "./health.ts";
import { CliError, Exit, endWithReader, type Io, processIo } from "./io.ts";
import { addClient, addListen } from "./listen.ts";
import { addOperator } from "./operator.ts";
import { addPrintConfig } from "./print-config.ts";
import { addPush } from "./push.ts";
import { addTest } from "./sample.ts";
import { addStart } from "./start.ts";
import { addToken } from "./token.ts";
import { addUrl } from "./url.ts";
import { addVersion, version } from "./version.ts";

const EXAMPLES = `
Examples:
  $ xlvein dev                                          try it: a console page and a curl line, no file needed
  $ xlvein start --config conf.yaml                     serve
  $ xlvein push --app test --account user_1 '{"text":"hi"}'
  $ xlvein check-config --config conf.yaml --strict

\`xlvein <command> --help\` tells more about one command.`;

/** Every command, ready to parse arguments. */
export function createProgram(io: Io): Command {
  const program = new Command("xlvein")
    .description("Real-time push and messaging for many applications at once")
    .version(version, "-V, --version", "print the version")
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.err(text.trimEnd()) })
    .exitOverride()
    .addHelpText("after", EXAMPLES);
  for (const add of [
    addStart,
    addDev,
    addToken,
    addUrl,
    addPush,
    addListen,
    addClient,
    addTest,
    addHealth,
    addDoctor,
    addCheckConfig,
    addPrintConfig,
    addOperator,
    addBootstrapSecrets,
    addVersion,
  ])
    add(program, io);
  return program;
}

/** Runs one command line (without the program's name) and resolves with the exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    const program = createProgram(io);
    if (argv.length === 0) return usage(program);
    await program.parseAsync(argv, { from: "user" });
    return Exit.OK;
  } catch (error) {
    // commander has written its own message, with a suggestion; help and version are no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.OK : Exit.USAGE;
    if (!(error instanceof CliError)) throw error;
    if (error.message !== "") io.err(`xlvein: ${error.message}`);
    return error.exitCode;
  }
}

function usage(program: Command): number {
  program.outputHelp({ error: true });
  return Exit.USAGE;
}

/** Runs the command line of this process. */
export async function main(): Promise<void> {
  process.stdout.on("error", endWithReader);
  process.exitCode = await run(process.argv.slice(2), processIo());
}
