import { type ErrorCode, HephaestusError } from "@hephaestus/core";
import { HTTP_STATUS_OF, type HttpErrorCode, isErrorCode, STATUS_OF } from "./error-status.ts";
import { toJson } from "./to-json.ts";

export const PROBLEM_TYPE = "application/problem+json";

/**
 * An error as HTTP tells it (RFC 9457). The details of the error are members of it; those whose names a problem uses
 * itself (`status`, `code`, …) stand in `details`, so that the error can be made again exactly.
 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode | HttpErrorCode;
  readonly details?: { readonly [name: string]: unknown };
  /** Why a run failed, where `code` is RUN_FAILED. */
  readonly cause?: { readonly name: string; readonly message: string; readonly code?: string };
  readonly [detail: string]: unknown;
}

/** The members that are a problem's own. */
export const PROBLEM_MEMBERS: ReadonlySet<string> = new Set([
  "type",
  "title",
  "status",
  "detail",
  "instance",
  "code",
  "details",
  "cause",
]);

/** An error of HTTP's own: a wrong content type, a missing signature. */
export class HttpProblem extends Error {
  readonly code: HttpErrorCode;
  readonly headers: { readonly [name: string]: string };
  constructor(code: HttpErrorCode, message: string, headers: { readonly [name: string]: string } = {}) {
    super(message);
    this.name = "HttpProblem";
    this.code = code;
    this.headers = headers;
  }
}

/** An answer of an error, and whether it is one that nobody foresaw. */
export interface ProblemAnswer {
  readonly response: Response;
  readonly unexpected: boolean;
}

/** How long a client should wait before it asks again after a 503, in seconds. */
const RETRY_AFTER_S = 1;

/** Answers whatever was thrown. What was not foreseen, and what a storage says, is not shown. */
export function toProblemResponse(error: unknown): ProblemAnswer {
  if (error instanceof HttpProblem) {
    const { code, message, headers } = error;
    return answer(problemOf(code, HTTP_STATUS_OF[code], message, {}), false, headers);
  }
  const known = asEngineError(error);
  const status = known ? STATUS_OF[known.code] : 500;
  if (known === undefined || status === 500) {
    return answer(problemOf("INTERNAL", 500, "something went wrong; it was not your request", {}), true);
  }
  if (status === 503) {
    const detail = "this cannot be answered at the moment; whether a command took effect is unknown";
    return answer(problemOf(known.code, status, detail, {}), true, { "retry-after": String(RETRY_AFTER_S) });
  }
  const { message, details = {} } = known;
  const cause = known.code === "RUN_FAILED" ? causeOf(known.cause) : {};
  return answer({ ...problemOf(known.code, status, message, details), ...cause }, false);
}

interface EngineError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: object;
  readonly cause?: unknown;
}

/** An error that crossed an RPC wire has lost its class, but not its name and code. */
function asEngineError(error: unknown): EngineError | undefined {
  if (error instanceof HephaestusError) return error;
  if (typeof error !== "object" || error === null) return undefined;
  const { name, code, message, details, cause } = error as Record<string, unknown>;
  if (name !== "HephaestusError" || !isErrorCode(code)) return undefined;
  const known = { code, message: String(message), cause };
  return typeof details === "object" && details !== null ? { ...known, details } : known;
}

function causeOf(cause: unknown): Pick<Problem, "cause"> {
  if (typeof cause !== "object" || cause === null) return {};
  const { name, message, code } = cause as Record<string, unknown>;
  const own = typeof code === "string" ? { code } : {};
  return { cause: { name: String(name ?? "Error"), message: String(message ?? ""), ...own } };
}

function problemOf(code: ErrorCode | HttpErrorCode, status: number, detail: string, details: object): Problem {
  const words = code.toLowerCase().replaceAll("_", " ");
  const members: Record<string, unknown> = {};
  const colliding: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(toJson(details) as object)) {
    if (name !== "__proto__") (PROBLEM_MEMBERS.has(name) ? colliding : members)[name] = value;
  }
  return {
    ...members,
    type: `urn:hephaestus:problem:${code.toLowerCase().replaceAll("_", "-")}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status,
    detail,
    code,
    ...(Object.keys(colliding).length > 0 ? { details: colliding } : {}),
  };
}

function answer(problem: Problem, unexpected: boolean, headers: Readonly<Record<string, string>> = {}): ProblemAnswer {
  const response = new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "content-type": PROBLEM_TYPE,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
  return { response, unexpected };
}
