import { DONE, type StepNode } from "../definition/graph.ts";
import type { Draft } from "./draft.ts";
import { isSettled, takenTargets } from "./run-state.ts";
import type { StepState } from "./state.ts";

/** What a settled or reached step keeps of the attempts that it had. */
export function keptOf(step: StepState | undefined): Partial<StepState> {
  if (step === undefined) return {};
  const { attempt, failures, interruptions, epoch, since, checkpoints } = step;
  return {
    ...(attempt === undefined ? {} : { attempt }),
    ...(failures === undefined ? {} : { failures }),
    ...(interruptions === undefined ? {} : { interruptions }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(since === undefined ? {} : { since }),
    ...(checkpoints === undefined ? {} : { checkpoints }),
  };
}

/** What is reached while the run is paused is to be run when it goes on: a timer that is due then. */
export function heldBack(draft: Draft): Partial<StepState> {
  return draft.paused ? { wakeAt: draft.now } : {};
}

/**
 * Ends a step with an event. Where user code chooses the targets and has not yet, the step is left choosing.
 */
export function completeStep(draft: Draft, node: StepNode, event: string, fields: Partial<StepState>): void {
  const before = draft.step(node.name);
  const route = node.routes.get(event);
  const choosing = route?.choice && fields.targets === undefined && draft.ending === undefined;
  settleStep(draft, node, {
    ...keptOf(before),
    ...fields,
    status: choosing ? "choosing" : "completed",
    event,
    // Once the run is ending, what completes leads nowhere.
    ...(draft.ending ? { targets: [] } : {}),
  });
}

/** Puts a step into a state, and where that settles it, takes and kills its edges. */
export function settleStep(draft: Draft, node: StepNode, step: StepState): void {
  draft.set(node.name, step);
  if (!isSettled(step) || draft.ending) return;
  for (const target of takenTargets(draft.graph, node, step)) {
    if (target === DONE) draft.doneTaken += 1;
    else draft.take(target);
  }
  for (const target of node.targets) draft.resolve(target);
}
