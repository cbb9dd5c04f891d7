import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ExitCode, Terminal } from "./command.ts";

export interface Output {
  /** As it was given, relative to the terminal's folder. */
  readonly path: string;
  readonly text: string;
}

/** What is written at a path, if anything; a checkout may have changed the ends of its lines. */
export function readOutput(path: string, { cwd }: Terminal): string | undefined {
  const file = resolve(cwd, path);
  return existsSync(file) ? readFileSync(file, "utf8").replaceAll("\r\n", "\n") : undefined;
}

/**
 * Writes the files that are not up to date, or with `check` only tells which they are.
 *
 * @returns 1 when it was to check and one is not up to date
 */
export function writeOutputs(outputs: readonly Output[], check: boolean, terminal: Terminal): ExitCode {
  let code: ExitCode = 0;
  for (const { path, text } of outputs) {
    const before = readOutput(path, terminal);
    if (before === text.replaceAll("\r\n", "\n")) terminal.out(`unchanged  ${path}\n`);
    else if (check) {
      terminal.out(`${before === undefined ? "missing    " : "outdated   "}${path}\n`);
      code = 1;
    } else {
      const file = resolve(terminal.cwd, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      terminal.out(`written    ${path}\n`);
    }
  }
  return code;
}
