import { unreachable } from "../definition/errors.ts";
import type { StepNode } from "../definition/graph.ts";
import { DONE, DONE_NAME } from "../definition/graph.ts";
import type { Writable } from "../definition/writable.ts";
import type {
  AbortedCommand,
  CheckpointCommand,
  ChoiceCommand,
  CompensatedCommand,
  FailureCommand,
  InterruptedCommand,
  OutcomeCommand,
  PendingCommand,
} from "./commands.ts";
import type { Draft } from "./draft.ts";
import { failStep, nextToCompensate } from "./ending.ts";
import { takeFromInbox } from "./inbox.ts";
import { MAX_INTERRUPTIONS, SERIAL_INTERRUPTIONS } from "./limits.ts";
import { backoffMs } from "./retry.ts";
import { isRunnable } from "./run-state.ts";
import { completeStep, heldBack, keptOf } from "./settle.ts";
import type { CompensationState, StepState, StoredError } from "./state.ts";

type Report = OutcomeCommand | FailureCommand | PendingCommand | AbortedCommand | CheckpointCommand;

/**
 * What an attempt tells. One that is not the current attempt of an open step changes nothing.
 * @param runner the id of the runner where it was; undefined where there can be only one
 */
export function decideReport(draft: Draft, command: Report, runner: string | undefined): "recorded" | "ignored" {
  const node = draft.node(command.step);
  const step = node && draft.at(node.index);
  if (!node || step?.status !== "active" || (step.attempt ?? 1) !== command.attempt || isOfAnotherRun(draft, command)) {
    return "ignored";
  }
  switch (command.type) {
    case "outcome":
      recordOutcome(draft, node, step, command);
      break;
    case "failure":
      recordFailure(draft, node, step, command);
      break;
    case "pending":
      // It has begun what it waits for.
      if (draft.ending) return endAborted(draft, node, step, true);
      draft.put(node.index, { ...keptOf(step), status: "waiting", startedAt: draft.now });
      takeFromInbox(draft, node);
      break;
    case "aborted":
      // What was given back without being begun keeps its token: another that took the run meanwhile begins it under that.
      if (runner && !command.begun && draft.owner?.id !== runner) return "ignored";
      if (draft.ending) return endAborted(draft, node, step, command.begun);
      giveBack(draft, node, step, command);
      break;
    case "checkpoint":
      if (command.value !== undefined) draft.payload(`checkpoint:${node.name}:${command.name}`, command.value, true);
      draft.put(node.index, { ...step, checkpoints: { ...step.checkpoints, [command.name]: draft.revision } });
      break;
    default:
      unreachable(command);
  }
  return "recorded";
}

function isOfAnotherRun(draft: Draft, { run }: { readonly run?: number }): boolean {
  return run !== undefined && run !== draft.run;
}

function recordOutcome(draft: Draft, node: StepNode, step: StepState, command: OutcomeCommand): void {
  const { event, result, metadata, targets, startedAt } = command;
  const route = node.routes.get(event);
  if (route === undefined) {
    const message = `step ${node.name} emitted ${JSON.stringify(event)}, which it does not declare`;
    failStep(draft, node, { name: "HephaestusError", code: "EVENT_UNDECLARED", message }, { unknown: true });
    return;
  }
  if (result !== undefined) draft.payload(`result:${node.name}`, result);
  const fields: Writable<Partial<StepState>> = { startedAt };
  if (result !== undefined) fields.result = draft.revision;
  if (metadata !== undefined) fields.metadata = metadata;
  const refused = command.choiceError ?? (targets && refusedChoice(draft, node, event, targets));
  if (refused && !draft.ending) {
    failStep(draft, node, refused, { ...fields, event });
    return;
  }
  if (step.error) fields.error = step.error;
  if (targets && route.choice) fields.targets = [...new Set(targets)];
  completeStep(draft, node, step, event, fields);
}

/** Errors of an attempt that has come to its end or may yet: whether it had its effect is not known. */
const UNKNOWN_OUTCOMES: ReadonlySet<string | undefined> = new Set([
  "STEP_TIMEOUT",
  "EVENT_UNDECLARED",
  "RESULT_INVALID",
  "NOT_JSON",
  "LIMIT_EXCEEDED",
]);

function recordFailure(draft: Draft, node: StepNode, step: StepState, command: FailureCommand): void {
  const { error, retryable, jitter } = command;
  const failures = (step.failures ?? 0) + 1;
  const unknown = draft.ending !== undefined || UNKNOWN_OUTCOMES.has(error.code);
  const counted = { ...keptOf(step), failures, ...(unknown ? { unknown } : {}) };
  if (draft.ending) {
    draft.put(node.index, { ...counted, status: "cancelled", error });
  } else if (retryable && failures < node.retry.maxAttempts) {
    draft.put(node.index, {
      ...counted,
      status: "active",
      attempt: command.attempt + 1,
      wakeAt: draft.now + backoffMs(node.retry, failures, jitter),
      error,
    });
  } else {
    failStep(draft, node, error, counted);
  }
}

/** An attempt that was aborted since the run ends is over. */
function endAborted(draft: Draft, node: StepNode, step: StepState, begun: boolean): "recorded" {
  draft.put(node.index, { ...keptOf(step), status: "cancelled", ...(begun ? { unknown: true } : {}) });
  return "recorded";
}

/** A runner that closes, or whose run is paused, gives its work back: uncounted, and with a new token if it had begun. */
function giveBack(draft: Draft, node: StepNode, step: StepState, { attempt, begun }: AbortedCommand): void {
  // A timer that is due at once: whoever takes the run next knows that this attempt was never begun.
  const next = { ...step, wakeAt: draft.now };
  draft.put(node.index, begun ? { ...next, attempt: attempt + 1, unknown: true } : next);
}

/** An attempt never came back: a new token, and the step is to be run again, unless that happened too often. */
function interrupt(draft: Draft, node: StepNode, step: StepState): void {
  const interruptions = (step.interruptions ?? 0) + 1;
  const counted = { ...keptOf(step), interruptions, attempt: (step.attempt ?? 1) + 1, unknown: true } as const;
  if (draft.ending) {
    draft.put(node.index, { ...counted, status: "cancelled" });
  } else if (interruptions < MAX_INTERRUPTIONS) {
    const error = step.error ? { error: step.error } : {};
    draft.put(node.index, { ...counted, status: "active", ...error, ...heldBack(draft) });
  } else {
    failStep(draft, node, interruptedError(node.name), counted);
  }
}

function interruptedError(name: string): StoredError {
  const message = `${MAX_INTERRUPTIONS} attempts of ${name} never came back`;
  return { name: "HephaestusError", code: "MAX_INTERRUPTIONS", message };
}

/** All attempts that may have been begun by a runner that is gone, or those named. */
export function decideInterrupted(draft: Draft, { steps, owner }: InterruptedCommand): void {
  if (owner && (draft.owner?.id !== owner.id || draft.owner.until !== owner.until)) return;
  // Whoever says so has found that the owner is gone, perhaps before its lease ran out.
  if (steps === undefined) draft.owner = undefined;
  const compensating = draft.ending && draft.active === 0 ? nextToCompensate(draft) : undefined;
  const running = (name: string) => draft.step(name)?.status === "active" && isRunnable(draft.step(name));
  const suspects = (steps ?? [...draft.open()]).filter(running);
  // One at a time, in this order: only the first is counted. The others get a new token all the same, since a timer
  // that fired meanwhile may have put another one before the one that ran.
  const isSerial = [...draft.open()].some((name) => callsForSeries(draft.step(name)));
  suspects.forEach((name, index) => {
    const step = draft.step(name) as StepState;
    if (!isSerial || index === 0) interrupt(draft, draft.node(name) as StepNode, step);
    else draft.set(name, { ...step, attempt: (step.attempt ?? 1) + 1, unknown: true, ...heldBack(draft) });
  });
  if (compensating !== undefined && (steps ?? [compensating]).includes(compensating)) {
    interruptCompensation(draft, compensating);
  }
}

function interruptCompensation(draft: Draft, name: string): void {
  const step = draft.step(name);
  if (step?.compensation?.status !== "active" || step.compensation.wakeAt !== undefined) return;
  const interruptions = (step.compensation.interruptions ?? 0) + 1;
  const compensation: CompensationState = {
    ...step.compensation,
    interruptions,
    attempt: (step.compensation.attempt ?? 1) + 1,
    ...(interruptions < MAX_INTERRUPTIONS ? {} : { status: "failed", error: interruptedError(name) }),
  };
  draft.set(name, { ...step, compensation });
}

/** Whether a step has steps run one at a time, to find the one that kills its runner. */
export function callsForSeries(step: StepState | undefined): boolean {
  return (step?.interruptions ?? 0) >= SERIAL_INTERRUPTIONS;
}

export function decideChoice(draft: Draft, command: ChoiceCommand): "recorded" | "ignored" {
  const node = draft.node(command.step);
  const step = node && draft.at(node.index);
  if (node === undefined || step?.status !== "choosing" || isOfAnotherRun(draft, command)) return "ignored";
  const { targets = [], error } = command;
  const { status: _status, event = "", ...fields } = step;
  const refused = error ?? refusedChoice(draft, node, event, targets);
  if (refused) failStep(draft, node, refused, { ...fields, event });
  else completeStep(draft, node, step, event, { ...fields, targets: [...new Set(targets)] });
  return "recorded";
}

function refusedChoice(
  draft: Draft,
  node: StepNode,
  event: string,
  targets: readonly string[],
): StoredError | undefined {
  const allowed = node.routes.get(event)?.targets ?? [];
  const indexOf = (name: string) => (name === DONE_NAME ? DONE : draft.graph.byName.get(name)?.index);
  const unknown = targets.find((name) => !allowed.includes(indexOf(name) ?? Number.NaN));
  if (targets.length > 0 && unknown === undefined) return undefined;
  const message =
    unknown === undefined
      ? `the choice after ${node.name} chose nothing`
      : `the choice after ${node.name} chose ${unknown}, which is not among its targets`;
  return { name: "HephaestusError", code: "CHOICE_UNDECLARED", message };
}

export function decideCompensated(draft: Draft, command: CompensatedCommand): "recorded" | "ignored" {
  const node = draft.node(command.step);
  const step = draft.step(command.step);
  const current = step?.compensation;
  if (!node || !step || current?.status !== "active" || (current.attempt ?? 1) !== command.attempt) return "ignored";
  if (isOfAnotherRun(draft, command) || nextToCompensate(draft) !== node.name) return "ignored";
  draft.put(node.index, { ...step, compensation: nextCompensation(draft, node, current, command) });
  return "recorded";
}

function nextCompensation(
  draft: Draft,
  node: StepNode,
  current: CompensationState,
  command: CompensatedCommand,
): CompensationState {
  const { error, retryable = true, jitter = 0 } = command;
  if (error === undefined) return { ...current, status: "completed" };
  const failures = (current.failures ?? 0) + 1;
  const { wakeAt: _wakeAt, ...next } = { ...current, failures, attempt: command.attempt + 1, error };
  if (!retryable || failures >= node.retry.maxAttempts) return { ...next, status: "failed" };
  return { ...next, wakeAt: draft.now + backoffMs(node.retry, failures, jitter) };
}
