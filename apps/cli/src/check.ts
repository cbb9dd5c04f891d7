import { parseArgs } from "node:util";
import type { Command } from "./command.ts";
import { exitCodeOf, loadModules, toReport, toText } from "./report.ts";
import { UsageError } from "./usage-error.ts";

/** `hephaestus check`: definitions are checked when they are made, so to load a module is to check it. */
export const check: Command = {
  summary: "finds what is wrong with the workflows of modules",
  help: `Usage: hephaestus check <module> [...] [--json]

Loads modules of JavaScript or TypeScript (their code runs) and tells every problem of the workflows that they define
or import, each with its code and the names concerned. A module stops at its first broken definition. A module that
exports no workflow is a problem too.

Options:
  --json    the report as JSON

Exit codes: 0 no problem; 1 problems; 2 a module is not there, or the command line is wrong.
`,
  async run(args, { cwd, out }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: "boolean" } },
    });
    if (positionals.length === 0) throw new UsageError("no module to check");
    const modules = await loadModules(positionals, cwd);
    out(values.json ? `${JSON.stringify(toReport(modules), null, 2)}\n` : toText(modules));
    return exitCodeOf(modules);
  },
};
