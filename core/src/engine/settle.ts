import { DONE, type StepNode } from "../definition/graph.ts";
import type { Writable } from "../definition/writable.ts";
import type { Draft } from "./draft.ts";
import { isSettled, takenTargets } from "./run-state.ts";
import type { StepState } from "./state.ts";

type Kept = Writable<Omit<StepState, "status">>;

/** What a step keeps of the attempts that it had, and whether one of them may have had its effect. */
export function keptOf(step: StepState | undefined): Kept {
  const kept = attemptsOf(step);
  if (step?.unknown !== undefined) kept.unknown = step.unknown;
  return kept;
}

function attemptsOf(step: StepState | undefined): Kept {
  const kept: Kept = {};
  if (step === undefined) return kept;
  if (step.attempt !== undefined) kept.attempt = step.attempt;
  if (step.failures !== undefined) kept.failures = step.failures;
  if (step.interruptions !== undefined) kept.interruptions = step.interruptions;
  if (step.epoch !== undefined) kept.epoch = step.epoch;
  if (step.since !== undefined) kept.since = step.since;
  if (step.checkpoints !== undefined) kept.checkpoints = step.checkpoints;
  if (step.startedAt !== undefined) kept.startedAt = step.startedAt;
  if (step.compensations !== undefined) kept.compensations = step.compensations;
  return kept;
}

/** What is reached while the run is paused is to be run when it goes on: a timer that is due then. */
export function heldBack(draft: Draft): Partial<StepState> {
  return draft.paused ? { wakeAt: draft.now } : {};
}

/**
 * Ends a step with an event. Where user code chooses the targets and has not yet, the step is left choosing.
 */
export function completeStep(
  draft: Draft,
  node: StepNode,
  step: StepState,
  event: string,
  fields: Partial<StepState>,
): void {
  const isToChoose =
    fields.targets === undefined && draft.ending === undefined && node.routes.get(event)?.choice === true;
  const status = isToChoose ? "choosing" : "completed";
  const next: Writable<StepState> = Object.assign(attemptsOf(step), fields, { status, event } as const);
  // Once the run is ending, what completes leads nowhere.
  if (draft.ending) next.targets = [];
  settleStep(draft, node, next);
}

/** A step that is taken from its run, and whether it may have had its effect. */
export function cancelled(draft: Draft, node: StepNode): StepState {
  const step = draft.at(node.index);
  // Whether a step that can run has begun is known to its driver alone; one that is pending has.
  const begun = node.kind === "run" && (draft.mayHaveBegun(node.index) || step?.status === "waiting");
  return { ...keptOf(step), status: "cancelled", ...(begun ? { unknown: true } : {}) };
}

/** Puts a step into a state, and where that settles it, takes and kills its edges. */
export function settleStep(draft: Draft, node: StepNode, step: StepState): void {
  draft.put(node.index, step);
  if (!isSettled(step) || draft.ending) return;
  for (const target of takenTargets(draft.graph, node, step)) {
    if (target === DONE) draft.doneTaken += 1;
    else draft.take(target);
  }
  for (const target of node.targets) draft.resolve(target);
}
