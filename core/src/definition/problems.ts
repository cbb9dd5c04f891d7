import { HephaestusError } from "./errors.ts";

/** What can be wrong with a definition; docs/reference/definition-errors.md says what each means. */
export type ProblemCode =
  | "NAME_INVALID"
  | "STEP_INVALID"
  | "STEP_DUPLICATE"
  | "STEP_UNREACHABLE"
  | "STEP_WITHOUT_TRANSITIONS"
  | "TRANSITIONS_DUPLICATE"
  | "EVENT_WITHOUT_TRANSITION"
  | "TRANSITION_WITHOUT_EVENT"
  | "EVENT_DUPLICATE"
  | "EVENTS_MISSING"
  | "TARGETS_MISSING"
  | "TARGET_DUPLICATE"
  | "CYCLE"
  | "DONE_UNREACHABLE"
  | "START_MISSING"
  | "NEED_NOT_CERTAIN"
  | "NEED_UNKNOWN"
  | "NEED_EVENT_UNKNOWN"
  | "JOIN_INVALID"
  | "JOIN_UNFILLABLE"
  | "CANCEL_REST_WITHOUT_JOIN"
  | "OUTPUT_UNKNOWN"
  | "DURATION_INVALID"
  | "RETRY_INVALID"
  | "KEY_INVALID"
  | "SCOPE_INVALID"
  | "TAG_INVALID"
  | "METADATA_INVALID"
  | "VERSION_INVALID"
  | "VERSION_KEY_DIFFERS"
  | "VERSION_NAME_DIFFERS"
  | "SCHEMA_INVALID"
  | "SCHEMA_DIFFERS";

export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** The steps, events or fields concerned. */
  readonly names: readonly string[];
}

/** A definition that cannot be run, with everything that is wrong with it. */
export class DefinitionError extends HephaestusError {
  readonly problems: readonly Problem[];
  constructor(what: string, problems: readonly Problem[]) {
    const lines = problems.map((problem) => `\n  ${problem.code}: ${problem.message}`);
    super("DEFINITION_INVALID", `${what} has ${problems.length} problem(s):${lines.join("")}`, { problems });
    this.name = "DefinitionError";
    this.problems = problems;
  }
}

/** Collects problems, so that all are told at once. */
export interface Problems {
  readonly list: Problem[];
  add(code: ProblemCode, message: string, ...names: string[]): void;
  /** Runs a check that throws and records what it threw as a problem. */
  attempt<T>(code: ProblemCode, names: readonly string[], check: () => T): T | undefined;
}

export function collectProblems(): Problems {
  const list: Problem[] = [];
  return {
    list,
    add(code, message, ...names) {
      list.push({ code, message, names });
    },
    attempt(code, names, check) {
      try {
        return check();
      } catch (error) {
        list.push({ code, message: (error as Error).message, names });
        return undefined;
      }
    },
  };
}
