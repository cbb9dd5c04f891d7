import { durationMs } from "../definition/duration.ts";
import { HephaestusError, NonRetryableError } from "../definition/errors.ts";
import { decodePayload, encodePayload, type JsonText } from "../definition/json.ts";
import { parsePayload } from "../definition/schema.ts";
import type { Signal } from "../definition/signal.ts";
import {
  type Connectors,
  isOutcome,
  isPending,
  needName,
  type Outcome,
  type StepContext,
  type StepDefinition,
} from "../definition/step.ts";
import type { CompensatedCommand, FailureCommand, OutcomeCommand, PendingCommand } from "../engine/commands.ts";
import type { Timestamp } from "../engine/state.ts";
import type { Aborter } from "./aborter.ts";
import type { Clock, Random } from "./clock.ts";
import { isPromise, type MaybePromise, whenThere } from "./maybe-promise.ts";
import { toStoredError } from "./stored-error.ts";

/** All that one attempt of one step is given, as plain JSON: it can be sent to another machine. */
export interface AttemptInput {
  readonly id: string;
  readonly run: number;
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly key?: string;
  readonly step: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly input?: JsonText;
  /** Of the steps that it needs, as far as they have one. */
  readonly results: Readonly<Record<string, JsonText>>;
  readonly checkpoints: Readonly<Record<string, JsonText>>;
}

/** What an attempt needs of the place where it runs. */
export interface AttemptPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connectors: Connectors;
  readonly aborter: Aborter;
  /** Stores a checkpoint; resolves when it is durable. */
  saveCheckpoint(name: string, value: JsonText): Promise<void>;
}

export type AttemptReport = OutcomeCommand | FailureCommand | PendingCommand;

/** Runs a step's code once and says how it ended, whatever it does. */
export async function runAttempt(
  definition: StepDefinition,
  input: AttemptInput,
  ports: AttemptPorts,
): Promise<AttemptReport> {
  const { run, step, attempt } = input;
  const startedAt = ports.clock.now();
  try {
    const context = contextOf(definition, input, ports);
    const running = withTimeout(definition, ports, startedAt, () => definition.run?.(context));
    const returned = isPromise(running) ? await running : running;
    if (isPending(returned)) return { type: "pending", run, step, attempt };
    const outcome = outcomeOf(definition, input, startedAt, returned);
    return isPromise(outcome) ? await outcome : outcome;
  } catch (thrown) {
    return { type: "failure", run, step, attempt, ...failureOf(thrown, ports) };
  }
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
    const context = Object.assign(contextOf(definition, input, ports), { result: decodePayload(result) });
    await withTimeout(definition, ports, ports.clock.now(), () => definition.compensate?.(context));
    return command;
  } catch (thrown) {
    return { ...command, ...failureOf(thrown, ports) };
  }
}

function failureOf(thrown: unknown, ports: AttemptPorts) {
  const refused = thrown instanceof HephaestusError && thrown.code !== "STEP_TIMEOUT";
  return {
    error: toStoredError(thrown),
    retryable: !refused && !(thrown instanceof NonRetryableError),
    jitter: ports.random(),
  };
}

function outcomeOf(
  definition: StepDefinition,
  { run, step, attempt }: AttemptInput,
  startedAt: Timestamp,
  returned: unknown,
): MaybePromise<OutcomeCommand> {
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
  return whenThere(parsed, (text) => ({
    type: "outcome",
    run,
    step,
    attempt,
    startedAt,
    event,
    ...(text === undefined ? {} : { result: text }),
    ...(metadata === undefined ? {} : { metadata }),
  }));
}

/** The same on every attempt, another one after the step was compensated and is run again. */
function idempotencyKeyOf({ id, run, step, epoch }: Pick<AttemptInput, "id" | "run" | "step" | "epoch">): string {
  return `${id}#${run}/${step}${epoch > 0 ? `~${epoch}` : ""}`;
}

type AnyContext = StepContext<unknown, [], []> & { readonly results: Record<string, unknown> };

function contextOf(definition: StepDefinition, input: AttemptInput, ports: AttemptPorts): AnyContext {
  const { id, run, workflow, version, key, attempt } = input;
  const results: Record<string, unknown> = {};
  for (const need of [...definition.needs, ...definition.maybeNeeds]) {
    const name = needName(need);
    const text = input.results[name];
    if (text !== undefined) results[name] = decodePayload(text);
  }
  return {
    input: decodePayload(input.input),
    results,
    connectors: ports.connectors,
    idempotencyKey: idempotencyKeyOf(input),
    get signal() {
      return ports.aborter.signal as Signal;
    },
    attempt,
    instance: { id, run, workflow, version, ...(key === undefined ? {} : { key }) },
    checkpoint: (name, effect) => runCheckpoint(input, ports, name, effect),
  };
}

async function runCheckpoint<T>(
  { step, checkpoints }: AttemptInput,
  ports: AttemptPorts,
  name: string,
  effect: () => T | Promise<T>,
): Promise<T> {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(name)) {
    throw new HephaestusError("OPTION_INVALID", `checkpoint name ${JSON.stringify(name)} is not a name`, {
      field: "name",
    });
  }
  if (Object.hasOwn(checkpoints, name)) return decodePayload(checkpoints[name]) as T;
  const value = await effect();
  const text = encodePayload(value, `checkpoint "${name}" of step "${step}"`) ?? "null";
  await ports.saveCheckpoint(name, text);
  // As a later attempt would see it.
  return decodePayload(text) as T;
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
    Promise.resolve().then(run).then(resolve, reject).finally(cancel);
  });
}
