import type { ErrorCode } from "@hephaestus/core";

/**
 * The HTTP status of each of the engine's errors. A code without one does not compile. 500 stands for what only a
 * run's own end can say: as the answer to a request it is unexpected, and nothing of it is shown.
 */
export const STATUS_OF: { readonly [Code in ErrorCode]: number } = {
  ALREADY_RUNNING: 409,
  CANCELLED: 409,
  CHOICE_FAILED: 500,
  CHOICE_UNDECLARED: 500,
  CLOSED: 503,
  DEFINITION_INVALID: 500,
  DONE_UNREACHED: 500,
  EVENT_NOT_EXPECTED: 409,
  EVENT_UNDECLARED: 422,
  FORMAT_NEWER: 503,
  INPUT_INVALID: 422,
  INSTANCE_NOT_FOUND: 404,
  JOIN_UNFILLED: 500,
  KEY_INVALID: 422,
  LIMIT_EXCEEDED: 413,
  MAX_INTERRUPTIONS: 500,
  NOT_JSON: 422,
  NOT_SUPPORTED: 501,
  OPTION_INVALID: 422,
  PARKED: 409,
  PAYLOAD_INVALID: 422,
  RESULT_INVALID: 500,
  RUN_FAILED: 409,
  STATUS_REFUSES: 409,
  STEP_FAILED: 500,
  STEP_TIMEOUT: 500,
  STORAGE_CORRUPT: 503,
  STORAGE_FULL: 503,
  STORAGE_UNAVAILABLE: 503,
  UNKNOWN_STEP: 404,
  UNKNOWN_WORKFLOW: 404,
};

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(STATUS_OF, code);
}

/** What only HTTP can go wrong with, beside the engine's codes. */
export const HTTP_STATUS_OF = {
  BODY_UNREADABLE: 400,
  CONTENT_TYPE_UNSUPPORTED: 415,
  DELIVERY_INVALID: 400,
  INTERNAL: 500,
  JSON_MALFORMED: 400,
  METHOD_NOT_ALLOWED: 405,
  NOT_FOUND: 404,
  SIGNATURE_INVALID: 401,
  UNAUTHENTICATED: 401,
} as const;

export type HttpErrorCode = keyof typeof HTTP_STATUS_OF;
