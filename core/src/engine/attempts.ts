import { unreachable } from "../definition/errors.ts";
import type { StepNode } from "../definition/graph.ts";
import { DONE, DONE_NAME } from "../definition/graph.ts";
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
import { failStep } from "./ending.ts";
import { takeFromInbox } from "./inbox.ts";
import { MAX_INTERRUPTIONS, SERIAL_INTERRUPTIONS } from "./limits.ts";
import { backoffMs } from "./retry.ts";
import { isRunnable } from "./run-state.ts";
import { completeStep, heldBack, keptOf } from "./settle.ts";
import type { CompensationState, StepState, StoredError } from "./state.ts";
import type { StateView } from "./view.ts";

type Report = OutcomeCommand | FailureCommand | PendingCommand | AbortedCommand | CheckpointCommand;

/** What an attempt tells. One that is not the current attempt of an open step changes nothing. */
export function decideReport(draft: Draft, command: Report): "recorded" | "ignored" {
  const node = draft.node(command.step);
  const step = draft.step(command.step);
  if (node === undefined || step?.status !== "active" || (step.attempt ?? 1) !== command.attempt) return "ignored";
  switch (command.type) {
    case "outcome":
      recordOutcome(draft, node, step, command);
      break;
    case "failure":
      recordFailure(draft, node, step, command);
      break;
    case "pending":
      if (draft.ending) cancel(draft, node, step, false);
      else {
        draft.set(node.name, { ...keptOf(step), status: "waiting", startedAt: draft.now });
        if (!draft.paused) takeFromInbox(draft, node);
      }
      break;
    case "aborted":
      // Outside of an ending only a runner that closes aborts an attempt: the work is given back, uncounted.
      if (draft.ending) cancel(draft, node, step, command.begun);
      else if (command.begun) draft.set(node.name, { ...step, attempt: command.attempt + 1, ...heldBack(draft) });
      break;
    case "checkpoint":
      if (command.value !== undefined) draft.payload(`checkpoint:${node.name}:${command.name}`, command.value);
      draft.set(node.name, { ...step, checkpoints: { ...step.checkpoints, [command.name]: draft.revision } });
      break;
    default:
      unreachable(command);
  }
  return "recorded";
}

function recordOutcome(draft: Draft, node: StepNode, step: StepState, command: OutcomeCommand): void {
  const { event, result, metadata, targets, startedAt } = command;
  if (!node.routes.has(event)) {
    const message = `step ${node.name} emitted ${JSON.stringify(event)}, which it does not declare`;
    failStep(draft, node, { name: "HephaestusError", code: "EVENT_UNDECLARED", message });
    return;
  }
  const refused = targets && refusedChoice(draft, node, event, targets);
  if (refused) {
    failStep(draft, node, refused);
    return;
  }
  if (result !== undefined) draft.payload(`result:${node.name}`, result);
  completeStep(draft, node, event, {
    startedAt,
    ...(step.error ? { error: step.error } : {}),
    ...(result === undefined ? {} : { result: draft.revision }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(targets === undefined ? {} : { targets: [...new Set(targets)] }),
  });
}

function recordFailure(draft: Draft, node: StepNode, step: StepState, command: FailureCommand): void {
  const { error, retryable, jitter } = command;
  const failures = (step.failures ?? 0) + 1;
  const counted = { ...keptOf(step), failures };
  if (draft.ending) {
    draft.set(node.name, {
      ...counted,
      status: "cancelled",
      error,
      ...(node.compensateUnknown ? { unknown: true } : {}),
    });
  } else if (retryable && failures < node.retry.maxAttempts) {
    draft.set(node.name, {
      ...counted,
      status: "active",
      attempt: command.attempt + 1,
      wakeAt: draft.now + backoffMs(node.retry, failures, jitter),
      error,
    });
  } else {
    draft.set(node.name, { ...counted, status: "active" });
    failStep(draft, node, error);
  }
}

function cancel(draft: Draft, node: StepNode, step: StepState, begun: boolean): void {
  draft.set(node.name, { ...keptOf(step), status: "cancelled", ...(begun ? { unknown: true } : {}) });
}

/** An attempt never came back: a new token, and the step is to be run again, unless that happened too often. */
function interrupt(draft: Draft, node: StepNode, step: StepState): void {
  const interruptions = (step.interruptions ?? 0) + 1;
  const counted = { ...keptOf(step), interruptions, attempt: (step.attempt ?? 1) + 1 };
  if (draft.ending) {
    draft.set(node.name, { ...counted, status: "cancelled", unknown: true });
  } else if (interruptions < MAX_INTERRUPTIONS) {
    const error = step.error ? { error: step.error } : {};
    draft.set(node.name, { ...counted, status: "active", ...error, ...heldBack(draft) });
  } else {
    draft.set(node.name, { ...counted, status: "active" });
    failStep(draft, node, interruptedError(node.name));
  }
}

function interruptedError(name: string): StoredError {
  const message = `${MAX_INTERRUPTIONS} attempts of ${name} never came back`;
  return { name: "HephaestusError", code: "MAX_INTERRUPTIONS", message };
}

/** All attempts that may have been begun by a runner that is gone, or those named. */
export function decideInterrupted(draft: Draft, command: InterruptedCommand): void {
  // Whoever says so has found that the owner is gone, perhaps before its lease ran out.
  if (command.steps === undefined) draft.owner = undefined;
  const suspects = command.steps ?? [...draft.open()];
  const runnable = suspects.filter((name) => draft.step(name)?.status === "active" && isRunnable(draft.step(name)));
  // One at a time, in this order: only the first can have been running.
  for (const name of isSerial(draft) ? runnable.slice(0, 1) : runnable) {
    interrupt(draft, draft.node(name) as StepNode, draft.step(name) as StepState);
  }
  for (const name of command.steps ?? draft.base.completed) interruptCompensation(draft, name);
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

/** Whether steps are to be run one at a time, to find the one that kills its runner. */
export function isSerial(view: Pick<StateView, "open" | "step">): boolean {
  for (const name of view.open()) if ((view.step(name)?.interruptions ?? 0) >= SERIAL_INTERRUPTIONS) return true;
  return false;
}

export function decideChoice(draft: Draft, command: ChoiceCommand): "recorded" | "ignored" {
  const node = draft.node(command.step);
  const step = draft.step(command.step);
  if (node === undefined || step?.status !== "choosing") return "ignored";
  const { targets = [], error } = command;
  const refused = error ?? refusedChoice(draft, node, step.event ?? "", targets);
  if (refused) {
    failStep(draft, node, refused);
  } else {
    const { status: _status, event = "", ...fields } = step;
    completeStep(draft, node, event, { ...fields, targets: [...new Set(targets)] });
  }
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
  draft.set(node.name, { ...step, compensation: nextCompensation(draft, node, current, command) });
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
  const next = { ...current, failures, attempt: command.attempt + 1, error };
  if (!retryable || failures >= node.retry.maxAttempts) return { ...next, status: "failed" };
  return { ...next, wakeAt: draft.now + backoffMs(node.retry, failures, jitter) };
}
