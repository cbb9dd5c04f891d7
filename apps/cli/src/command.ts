/** Where a command writes, and the folder that paths are relative to. */
export interface Terminal {
  readonly cwd: string;
  /** What the command is for: a report, a drawing. */
  out(text: string): void;
  /** For why there is none. */
  error(text: string): void;
}

/**
 * How a command ended.
 *
 * - 0: all is well
 * - 1: something is wrong with what it looked at: a broken definition, a file that is not up to date
 * - 2: it could not be done as it was written: an unknown option, a file that is not there
 */
export type ExitCode = 0 | 1 | 2;

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly help: string;
  /** @throws UsageError, and the errors of the file system */
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>;
}
