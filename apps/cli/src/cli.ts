import { check } from "./check.ts";
import type { Command, ExitCode, Terminal } from "./command.ts";
import { graph } from "./graph.ts";
import { migrations } from "./migrations.ts";
import { UsageError } from "./usage-error.ts";

const COMMANDS: Readonly<Record<string, Command>> = { check, graph, migrations };

const HELP = `Usage: hephaestus <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}\n`)
  .join("")}
hephaestus <command> --help says more about one of them.

Exit codes: 0 all is well; 1 something is wrong with what was looked at; 2 it cannot be done as it was written.
`;

/** Runs a command line; whatever goes wrong is told, never thrown. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name = "", ...rest] = args;
  const fail = (message: string): ExitCode => {
    terminal.error(`hephaestus: ${message}\n`);
    return 2;
  };
  if (name === "--help" || name === "-h" || name === "help") {
    terminal.out(HELP);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const what = name === "" ? "no command" : `unknown command ${JSON.stringify(name)}`;
    return fail(`${what}; there are ${Object.keys(COMMANDS).join(", ")} (hephaestus --help)`);
  }
  const ownEnd = rest.indexOf("--");
  const options = ownEnd < 0 ? rest : rest.slice(0, ownEnd);
  if (options.includes("--help") || options.includes("-h")) {
    terminal.out(command.help);
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (error instanceof UsageError) return fail(`${error.message} (hephaestus ${name} --help)`);
    // A file or a folder that cannot be read or written: Node's message names it.
    if (error instanceof Error && "syscall" in error) return fail(error.message);
    if (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")) {
      return fail(`${error.message.split(". ")[0]} (hephaestus ${name} --help)`);
    }
    throw error;
  }
}
