import { durationMs } from "../definition/duration.ts";
import { HephaestusError, NonRetryableError } from "../definition/errors.ts";
import { decodePayload, encodePayload, type JsonText } from "../definition/json.ts";
import { parsePayload } from "../definition/schema.ts";
import { isOutcome, isPending, type Outcome, type StepDefinition } from "../definition/step.ts";
import type { Writable } from "../definition/writable.ts";
import type { CompensatedCommand, FailureCommand, OutcomeCommand, PendingCommand } from "../engine/commands.ts";
import type { Timestamp } from "../engine/state.ts";
import { type AttemptInput, type AttemptPorts, attemptContext } from "./attempt-context.ts";
import { isPromise, type MaybePromise, whenThere } from "./maybe-promise.ts";
import { toStoredError } from "./stored-error.ts";

export type AttemptReport = OutcomeCommand | FailureCommand | PendingCommand;

/** Runs a step's code once and says how it ended, whatever it does. */
export function runAttempt(
  definition: StepDefinition,
  input: AttemptInput,
  ports: AttemptPorts,
): MaybePromise<AttemptReport> {
  const startedAt = ports.clock.now();
  const failed = (thrown: unknown): AttemptReport => failureReport(input, ports, thrown);
  const ended = (returned: unknown): MaybePromise<AttemptReport> => {
    try {
      const report = reportOf(definition, input, startedAt, returned);
      return report instanceof Promise ? report.catch(failed) : report;
    } catch (thrown) {
      return failed(thrown);
    }
  };
  try {
    const context = attemptContext(definition, input, ports);
    const running: unknown = withTimeout(definition, ports, startedAt, () => definition.run?.(context));
    if (running instanceof Promise) return running.then(ended, failed);
    return isPromise(running) ? Promise.resolve(running).then(ended, failed) : ended(running);
  } catch (thrown) {
    return failed(thrown);
  }
}

function failureReport({ run, step, attempt }: AttemptInput, ports: AttemptPorts, thrown: unknown): FailureCommand {
  return { type: "failure", run, step, attempt, ...failureOf(thrown, ports) };
}

/** Undoes a step's effect once and says how that ended. */
export async function runCompensation(
  definition: StepDefinition,
  input: AttemptInput,
  result: JsonText | undefined,
  ports: AttemptPorts,
): Promise<CompensatedCommand> {
  const command = { type: "compensated", run: input.run, step: input.step, attempt: input.attempt } as const;
  try {
    const context = Object.assign(attemptContext(definition, input, ports), { result: decodePayload(result) });
    await withTimeout(definition, ports, ports.clock.now(), () => definition.compensate?.(context));
    return command;
  } catch (thrown) {
    return { ...command, ...failureOf(thrown, ports) };
  }
}

function failureOf(thrown: unknown, ports: AttemptPorts) {
  return { error: toStoredError(thrown), retryable: isRetryable(thrown), jitter: ports.random() };
}

function isRetryable(thrown: unknown): boolean {
  try {
    const refused = thrown instanceof HephaestusError && thrown.code !== "STEP_TIMEOUT";
    return !refused && !(thrown instanceof NonRetryableError);
  } catch {
    // Not even its prototype can be looked at.
    return true;
  }
}

function reportOf(
  definition: StepDefinition,
  { run, step, attempt }: AttemptInput,
  startedAt: Timestamp,
  returned: unknown,
): MaybePromise<OutcomeCommand | PendingCommand> {
  if (isPending(returned)) return { type: "pending", run, step, attempt };
  const outcome: Outcome<string, unknown> = isOutcome(returned) ? returned : { event: "done", result: returned };
  const { event, result, metadata } = outcome;
  if (!definition.events.includes(event)) {
    const message = isOutcome(returned)
      ? `step ${step} emitted ${JSON.stringify(event)}, which it does not declare`
      : `step ${step} declares the events ${definition.events.join(", ")} and returned without emitting one`;
    throw new HephaestusError("EVENT_UNDECLARED", message, { step, event });
  }
  const what = `result of step "${step}"`;
  if (metadata !== undefined) encodePayload(metadata, `metadata of step "${step}"`);
  const parsed = definition.result
    ? parsePayload(definition.result, result, what, "RESULT_INVALID")
    : encodePayload(result, what);
  return whenThere(parsed, (text) => {
    const outcome: Writable<OutcomeCommand> = { type: "outcome", run, step, attempt, startedAt, event };
    if (text !== undefined) outcome.result = text;
    if (metadata !== undefined) outcome.metadata = metadata;
    return outcome;
  });
}

/** Ends the wait for a step's code when its time is over, and asks the code to stop. */
function withTimeout<T>(
  definition: StepDefinition,
  { clock, aborter }: AttemptPorts,
  startedAt: Timestamp,
  run: () => T | Promise<T>,
): T | Promise<T> {
  if (definition.timeout === undefined) return run();
  const ms = durationMs(definition.timeout);
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.schedule(startedAt + ms, () => {
      const error = new HephaestusError("STEP_TIMEOUT", `step ${definition.name} took longer than ${ms} ms`, { ms });
      aborter.abort(error);
      reject(error);
    });
    // In this very turn, in which the attempt was seen to be the current one.
    new Promise<T>((end) => end(run())).then(resolve, reject).finally(cancel);
  });
}
