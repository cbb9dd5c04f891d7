import type { Retry } from "../definition/graph.ts";

/**
 * How long to wait after the `failures`-th failure, in milliseconds. Jitter is "equal jitter": half of the wait is
 * fixed, half is spread (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 *
 * @param jitter 0 to 1, drawn by the runner
 */
export function backoffMs(retry: Retry, failures: number, jitter: number): number {
  // 2 to the 40th times a millisecond is 34 years: the cap applies long before.
  const factor = { constant: 1, linear: failures, exponential: 2 ** Math.min(failures - 1, 40) }[retry.backoff];
  const wait = Math.min(retry.initialMs * factor, retry.maxMs);
  return Math.round(retry.jitter ? wait / 2 + (wait / 2) * jitter : wait);
}
