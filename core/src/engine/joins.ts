import { DONE_NAME, type StepNode } from "../definition/graph.ts";
import { TIMEOUT_EVENT } from "../definition/step.ts";
import type { Draft } from "./draft.ts";
import { failStep } from "./ending.ts";
import { takeFromInbox } from "./inbox.ts";
import { isOpen } from "./run-state.ts";
import { cancelled, heldBack, keptOf, settleStep } from "./settle.ts";

/**
 * Does all that follows from the edges that were taken and killed. What follows does not depend on the order of edges:
 * first what dies, then what starts (and of that what cancels others, then by the order of the definition), and a join
 * fails only when nothing else is left that follows, the first of the definition first.
 */
export function propagate(draft: Draft): void {
  if (draft.touched.length === 0) return;
  const ready: StepNode[] = [];
  const unfilled: StepNode[] = [];
  let looked = 0;
  while (!draft.ending) {
    if (looked < draft.touched.length) looked = lookAtJoins(draft, looked, ready, unfilled);
    const node = ready.pop() ?? unfilled.pop();
    if (node === undefined) break;
    // What was done since it was looked at may have settled it.
    const join = joinOf(draft, node);
    if (join === "ready") startStep(draft, node);
    else if (join === "unfilled") failJoin(draft, node);
  }
  draft.touched = [];
}

/** Looks at the joins that were touched since; what dies there touches more. */
function lookAtJoins(draft: Draft, from: number, ready: StepNode[], unfilled: StepNode[]): number {
  const { touched, graph } = draft;
  let looked = from;
  for (; looked < touched.length; looked++) {
    const node = graph.nodes[touched[looked] as number] as StepNode;
    const join = joinOf(draft, node);
    if (join === "ready") ready.push(node);
    else if (join === "unfilled") unfilled.push(node);
    else if (join === "dead") settleStep(draft, node, { ...keptOf(draft.at(node.index)), status: "skipped" });
  }
  if (ready.length > 1) ready.sort(lastFirst);
  if (unfilled.length > 1) unfilled.sort((one, other) => other.index - one.index);
  return looked;
}

function lastFirst(one: StepNode, other: StepNode): number {
  return Number(one.cancels.length > 0) - Number(other.cancels.length > 0) || other.index - one.index;
}

/** What its edges say about a step that is not reached yet: it starts, is skipped, can never start, or must wait. */
function joinOf(draft: Draft, node: StepNode): "ready" | "dead" | "unfilled" | undefined {
  const step = draft.at(node.index);
  if (step !== undefined && step.status !== "idle") return undefined;
  const { atLeast } = node;
  const taken = draft.taken(node.index);
  const missing = node.inDegree - draft.resolved(node.index);
  if (atLeast === undefined ? missing === 0 && taken > 0 : taken >= atLeast) return "ready";
  if (missing === 0 && taken === 0) return "dead";
  return atLeast !== undefined && taken > 0 && taken + missing < atLeast ? "unfilled" : undefined;
}

function failJoin(draft: Draft, node: StepNode): void {
  const taken = draft.taken(node.index);
  const message = `${node.name} needs ${node.atLeast} taken edges and can have no more than ${taken}`;
  failStep(draft, node, { name: "HephaestusError", code: "JOIN_UNFILLED", message });
}

function startStep(draft: Draft, node: StepNode): void {
  for (const index of node.cancels) cancelBehind(draft, draft.graph.nodes[index] as StepNode);
  const kept = keptOf(draft.at(node.index));
  if (node.kind === "run") {
    if (node.seesOptional) kept.since = draft.revision;
    draft.put(
      node.index,
      draft.paused ? { ...kept, status: "active", ...heldBack(draft) } : { ...kept, status: "active" },
    );
    return;
  }
  const timer =
    node.durationMs === undefined
      ? {}
      : { wakeAt: draft.now + node.durationMs, wakeEvent: node.kind === "timer" ? DONE_NAME : TIMEOUT_EVENT };
  draft.put(node.index, { ...kept, status: "waiting", ...timer });
  takeFromInbox(draft, node);
}

/** Ends an unsettled step that leads nowhere but to a join which starts without it. */
function cancelBehind(draft: Draft, node: StepNode): void {
  const step = draft.at(node.index);
  if (step?.status === "choosing") {
    // It has run: only where it leads does not matter any more.
    settleStep(draft, node, { ...step, status: "completed", targets: [], outrun: true });
  } else if (step === undefined || step.status === "idle" || isOpen(step)) {
    settleStep(draft, node, { ...cancelled(draft, node), outrun: true });
  }
}
