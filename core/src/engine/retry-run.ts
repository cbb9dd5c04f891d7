import type { StepNode } from "../definition/graph.ts";
import type { Draft } from "./draft.ts";
import { lastCompensation } from "./ending.ts";
import { isOpen, isSettled, takenTargets } from "./run-state.ts";
import type { StepState } from "./state.ts";

/**
 * Takes a failed run up again: what failed, what the failure cancelled, what was compensated, and all that came after
 * those, is run anew. Compensated steps get a new epoch, so that their effects are new ones; the others keep their
 * idempotency key. A step whose compensation failed still has its effect: it stays as it is.
 */
export function decideRetry(draft: Draft): void {
  const { graph } = draft;
  const reset = findReset(draft);
  draft.ending = undefined;
  draft.status = "running";
  draft.redo = true;
  for (const node of graph.nodes) {
    const step = draft.at(node.index);
    if (step === undefined) continue;
    if (reset.has(node.index)) draft.put(node.index, anew(step));
    else if (isSettled(step)) goOn(draft, node, step);
  }
  draft.recount();
}

function findReset(draft: Draft): ReadonlySet<number> {
  const { nodes } = draft.graph;
  const reset = new Set(nodes.filter((node) => wasUndone(node, draft.at(node.index))).map((node) => node.index));
  // A set is walked to its end, what is added on the way included.
  for (const index of reset) {
    const { targets, cancels } = nodes[index] as StepNode;
    for (const target of targets) if (cameAfter(draft, nodes[target] as StepNode, reset)) reset.add(target);
    for (const behind of cancels) if (isOutrunNoMore(draft, nodes[behind] as StepNode, reset)) reset.add(behind);
  }
  return reset;
}

function wasUndone(node: StepNode, step: StepState | undefined): boolean {
  if (step?.compensation?.status === "completed") return true;
  if (step?.status === "failed") return node.onFailure === undefined;
  return step?.status === "cancelled" && !step.outrun;
}

/** A relaxed join that enough other steps led to did not come after those that are reset. */
function cameAfter(draft: Draft, node: StepNode, reset: ReadonlySet<number>): boolean {
  if (node.atLeast === undefined) return true;
  const others = node.sources.filter((source) => !reset.has(source) && leadTo(draft, source, node));
  return others.length + Number(node.isStart) < node.atLeast;
}

function leadTo(draft: Draft, source: number, target: StepNode): boolean {
  const node = draft.graph.nodes[source] as StepNode;
  const step = draft.at(node.index);
  return step !== undefined && isSettled(step) && takenTargets(draft.graph, node, step).includes(target.index);
}

/** Whether no join is left that started without a step. */
function isOutrunNoMore(draft: Draft, node: StepNode, reset: ReadonlySet<number>): boolean {
  const started = ({ name }: StepNode) => {
    const step = draft.step(name);
    return isOpen(step) || step?.status === "completed" || step?.status === "failed";
  };
  const { nodes } = draft.graph;
  const joins = nodes.filter((join) => join.cancels.includes(node.index) && !reset.has(join.index) && started(join));
  return draft.at(node.index)?.outrun === true && joins.length === 0;
}

/** A step in its next life: a new token for its attempts, and for those of its compensation. */
function anew(step: StepState): StepState {
  const { attempt = 1, checkpoints } = step;
  const compensated = step.compensation?.status === "completed";
  const epoch = (step.epoch ?? 0) + Number(compensated);
  const compensations = lastCompensation(step);
  return {
    status: "idle",
    attempt: attempt + 1,
    ...(epoch > 0 ? { epoch } : {}),
    ...(compensations > 0 ? { compensations } : {}),
    ...(checkpoints && !compensated ? { checkpoints } : {}),
  };
}

/** What completed while the run was ending took no edges: now it does. What could not be undone may be once more. */
function goOn(draft: Draft, node: StepNode, step: StepState): void {
  const { compensation, targets, ...rest } = step;
  const retaken = step.status === "completed" && targets?.length === 0 && !step.outrun;
  if (compensation === undefined && !retaken) return;
  const choosing = retaken && node.routes.get(step.event ?? "")?.choice === true;
  draft.put(node.index, {
    ...rest,
    ...(choosing ? { status: "choosing" } : {}),
    ...(targets && !retaken ? { targets } : {}),
    ...(compensation ? { compensations: lastCompensation(step) } : {}),
  });
}
