import { type Duration, durationMs } from "./duration.ts";
import type { Retry } from "./graph.ts";
import type { Problems } from "./problems.ts";
import type { RetryPolicy } from "./step.ts";
import { isCount } from "./validate.ts";

/** The library's policy: what neither the step nor the workflow says. */
export const RETRY_DEFAULT: Retry = {
  maxAttempts: 5,
  backoff: "exponential",
  initialMs: 1_000,
  maxMs: 60_000,
  jitter: true,
};

/** Each field comes from the most specific place that names it: the step, the workflow, the library. */
export function resolveRetry(
  step: RetryPolicy | undefined,
  workflow: RetryPolicy | undefined,
  name: string,
  problems: Problems,
): Retry {
  if (step === undefined && workflow === undefined) return RETRY_DEFAULT;
  const maxAttempts = step?.maxAttempts ?? workflow?.maxAttempts ?? RETRY_DEFAULT.maxAttempts;
  const backoff = step?.backoff ?? workflow?.backoff ?? RETRY_DEFAULT.backoff;
  if (!isCount(maxAttempts)) {
    problems.add("RETRY_INVALID", `retry of ${name}: maxAttempts must be an integer, 1 or more`, name, "maxAttempts");
  }
  if (!["exponential", "linear", "constant"].includes(backoff)) {
    problems.add("RETRY_INVALID", `retry of ${name}: unknown backoff ${JSON.stringify(backoff)}`, name, "backoff");
  }
  const milliseconds = (duration: Duration | undefined, field: string, standard: number) =>
    duration === undefined
      ? standard
      : (problems.attempt("RETRY_INVALID", [name, field], () => durationMs(duration, `retry.${field} of ${name}`)) ??
        standard);
  return {
    maxAttempts,
    backoff,
    initialMs: milliseconds(step?.initial ?? workflow?.initial, "initial", RETRY_DEFAULT.initialMs),
    maxMs: milliseconds(step?.max ?? workflow?.max, "max", RETRY_DEFAULT.maxMs),
    jitter: step?.jitter ?? workflow?.jitter ?? RETRY_DEFAULT.jitter,
  };
}
