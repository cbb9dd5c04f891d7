/** What went wrong, as a code that callers match on. Message texts may change; codes do not. */
export type ErrorCode =
  | "ALREADY_RUNNING"
  | "CANCELLED"
  | "CHOICE_FAILED"
  | "CHOICE_UNDECLARED"
  | "CLOSED"
  | "DEFINITION_INVALID"
  | "DONE_UNREACHED"
  | "EVENT_NOT_EXPECTED"
  | "EVENT_UNDECLARED"
  | "FORMAT_NEWER"
  | "INPUT_INVALID"
  | "INSTANCE_NOT_FOUND"
  | "JOIN_UNFILLED"
  | "KEY_INVALID"
  | "LIMIT_EXCEEDED"
  | "MAX_INTERRUPTIONS"
  | "NOT_JSON"
  | "NOT_SUPPORTED"
  | "OPTION_INVALID"
  | "PARKED"
  | "PAYLOAD_INVALID"
  | "RESULT_INVALID"
  | "RUN_FAILED"
  | "STATUS_REFUSES"
  | "STEP_FAILED"
  | "STEP_TIMEOUT"
  | "STORAGE_CORRUPT"
  | "STORAGE_FULL"
  | "STORAGE_UNAVAILABLE"
  | "UNKNOWN_STEP"
  | "UNKNOWN_WORKFLOW";

/** Facts about an error that a program can use: the field concerned, the status found, the path in a value. */
export type ErrorDetails = { readonly [name: string]: unknown };

/**
 * Every error that Hephaestus raises on purpose.
 *
 * @example
 * try { await orders.resume("abc", "paid") } catch (error) {
 *   if (error instanceof HephaestusError && error.code === "EVENT_NOT_EXPECTED") tooLate();
 * }
 */
export class HephaestusError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HephaestusError";
    this.code = code;
    this.details = details;
  }
}

/** Thrown by a step to say that trying again cannot help: the step fails at once, whatever its retry policy. */
export class NonRetryableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "NonRetryableError";
  }
}

/** For the default branch of a switch that must be exhaustive. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`);
}

/** States an invariant: when it does not hold, the program is wrong, not its input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
