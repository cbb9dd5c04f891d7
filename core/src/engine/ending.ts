import type { StepNode } from "../definition/graph.ts";
import type { Draft } from "./draft.ts";
import { CANCEL_GRACE_MS } from "./limits.ts";
import { isRunnable } from "./run-state.ts";
import { keptOf, settleStep } from "./settle.ts";
import type { Ending, StepState, StoredError } from "./state.ts";
import type { StateView } from "./view.ts";

/** Fails a step for good: its failure route is taken, or the whole run begins to fail. */
export function failStep(draft: Draft, node: StepNode, error: StoredError): void {
  const failed: StepState = { ...keptOf(draft.step(node.name)), status: "failed", error };
  if (node.onFailure !== undefined) {
    settleStep(draft, node, failed);
    return;
  }
  draft.set(node.name, failed);
  beginEnding(draft, { outcome: "failed", step: node.name, error, until: draft.now + CANCEL_GRACE_MS });
}

/**
 * From here on nothing new starts. Steps that only wait are cancelled at once; attempts that may be running are
 * aborted by the driver and may report until `ending.until`.
 */
export function beginEnding(draft: Draft, ending: Ending): void {
  if (draft.ending) return;
  draft.ending = ending;
  for (const name of [...draft.open()]) {
    const step = draft.step(name) as StepState;
    if (step.status === "choosing") draft.set(name, { ...step, status: "completed", targets: [] });
    else if (!isRunnable(step)) draft.set(name, { ...keptOf(step), status: "cancelled" });
  }
}

/** The next thing in an ending: wait for attempts, compensate one step after the other, end. */
export function advanceEnding(draft: Draft): void {
  const { ending } = draft;
  if (ending === undefined || draft.status === ending.outcome) return;
  if (draft.active > 0 && draft.now >= ending.until) giveUpAttempts(draft);
  if (draft.active > 0) return;
  const name = nextToCompensate(draft);
  if (name === undefined) {
    draft.status = ending.outcome;
  } else if (draft.step(name)?.compensation === undefined) {
    draft.set(name, { ...(draft.step(name) as StepState), compensation: { status: "active" } });
  }
}

function giveUpAttempts(draft: Draft): void {
  for (const name of [...draft.open()]) {
    draft.set(name, { ...keptOf(draft.step(name)), status: "cancelled", unknown: true });
  }
}

/** The step whose compensation runs or is to run next; undefined when all are done. */
export function nextToCompensate(view: StateView): string | undefined {
  const order = completionOrder(view);
  for (let index = order.length - 1; index >= 0; index--) {
    const name = order[index] as string;
    const { compensation } = view.step(name) as StepState;
    if (compensation === undefined || compensation.status === "active") return name;
  }
  return undefined;
}

/** The steps that have an effect to undo, in the order in which they completed; unknown ones last. */
function completionOrder(view: StateView): string[] {
  const completed = new Set(view.base.completed);
  const unknown: string[] = [];
  for (const [name, step] of view.steps) if (step.status === "completed") completed.add(name);
  for (const node of view.graph.nodes) {
    const step = view.step(node.name);
    const maybe = step?.unknown || (step?.status === "failed" && step.error?.code === "STEP_TIMEOUT");
    if (node.compensateUnknown && step && maybe) unknown.push(node.name);
  }
  const compensates = (name: string) => view.graph.byName.get(name)?.compensates;
  return [...completed].filter((name) => compensates(name) && view.step(name)?.status === "completed").concat(unknown);
}
