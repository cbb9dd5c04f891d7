import type { StepNode } from "../definition/graph.ts";
import type { Draft } from "./draft.ts";
import { CANCEL_GRACE_MS } from "./limits.ts";
import { isRunnable, isUndone } from "./run-state.ts";
import { cancelled, keptOf, settleStep } from "./settle.ts";
import type { CompensationState, Ending, StepState, StoredError } from "./state.ts";
import type { StateView } from "./view.ts";

/**
 * Fails a step for good: its failure route is taken, or the whole run begins to fail.
 * @param fields what it leaves behind, when it had ended with an event
 */
export function failStep(draft: Draft, node: StepNode, error: StoredError, fields: Partial<StepState> = {}): void {
  const failed: StepState = { ...keptOf(draft.at(node.index)), ...fields, status: "failed", error };
  settleStep(draft, node, failed);
  if (node.onFailure !== undefined) return;
  beginEnding(draft, { outcome: "failed", step: node.name, error, until: draft.now + CANCEL_GRACE_MS });
}

/**
 * From here on nothing new starts, and a pause is over. Steps that only wait are cancelled at once; attempts that may
 * be running are aborted by the driver and may report until `ending.until`.
 */
export function beginEnding(draft: Draft, ending: Ending): void {
  if (draft.ending) return;
  draft.ending = ending;
  draft.paused = false;
  cancelWaiting(draft);
}

/** Ends what waits: at once when the run begins to end, or later where that was said without the code. */
function cancelWaiting(draft: Draft): void {
  for (const name of [...draft.open()]) {
    const step = draft.step(name) as StepState;
    if (step.status === "choosing") draft.set(name, { ...step, status: "completed", targets: [] });
    else if (!isRunnable(step)) draft.set(name, cancelled(draft, draft.node(name) as StepNode));
  }
}

/** The next thing in an ending: wait for attempts, compensate one step after the other, end. */
export function advanceEnding(draft: Draft): void {
  const { ending } = draft;
  if (ending === undefined || draft.status === ending.outcome) return;
  cancelWaiting(draft);
  if (draft.active > 0 && draft.now >= ending.until) giveUpAttempts(draft);
  if (draft.active > 0) return;
  const name = nextToCompensate(draft);
  if (name === undefined) {
    draft.status = ending.outcome;
    return;
  }
  const step = draft.step(name) as StepState;
  if (step.compensation === undefined) draft.set(name, { ...step, compensation: firstCompensation(step) });
}

function giveUpAttempts(draft: Draft): void {
  for (const name of [...draft.open()]) draft.set(name, cancelled(draft, draft.node(name) as StepNode));
}

function firstCompensation({ compensations }: StepState): CompensationState {
  return { status: "active", ...(compensations === undefined ? {} : { attempt: compensations + 1 }) };
}

/** Tries again what could not be undone. */
export function redoCompensation(draft: Draft, name: string): void {
  const step = draft.step(name) as StepState;
  if (step.compensation?.status !== "failed") return;
  draft.set(name, { ...step, compensation: { status: "active", attempt: lastCompensation(step) + 1 } });
}

/** The token of the last compensation of a step; 0 when there was none. */
export function lastCompensation({ compensation, compensations = 0 }: StepState): number {
  return compensation === undefined ? compensations : (compensation.attempt ?? 1);
}

/** The step whose compensation runs or is to run next; undefined when all are done. */
export function nextToCompensate(view: StateView): string | undefined {
  for (const name of view.effects()) if (!isUndone(view.step(name))) return name;
  return undefined;
}
