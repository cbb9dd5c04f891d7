import { DONE_NAME, type StepNode } from "../definition/graph.ts";
import { TIMEOUT_EVENT } from "../definition/step.ts";
import type { Draft } from "./draft.ts";
import { failStep } from "./ending.ts";
import { takeFromInbox } from "./inbox.ts";
import { isOpen } from "./run-state.ts";
import { heldBack, keptOf, settleStep } from "./settle.ts";

/** Looks at every join with new edges, and goes on until nothing follows any more. */
export function propagate(draft: Draft): void {
  const { touched, graph } = draft;
  for (let next = 0; next < touched.length; next++) {
    lookAtJoin(draft, graph.nodes[touched[next] as number] as StepNode);
    if (draft.ending) break;
  }
  touched.length = 0;
}

/** Starts, skips or fails a step that is not yet reached, if its edges say so. */
function lookAtJoin(draft: Draft, node: StepNode): void {
  const step = draft.step(node.name);
  if (step !== undefined && step.status !== "idle") return;
  const taken = draft.taken(node.index);
  const missing = node.inDegree - draft.resolved(node.index);
  if (node.atLeast === undefined ? missing === 0 && taken > 0 : taken >= node.atLeast) {
    startStep(draft, node);
  } else if (missing === 0 && taken === 0) {
    settleStep(draft, node, { ...keptOf(step), status: "skipped" });
  } else if (node.atLeast !== undefined && taken > 0 && taken + missing < node.atLeast) {
    failStep(draft, node, {
      name: "HephaestusError",
      code: "JOIN_UNFILLED",
      message: `${node.name} needs ${node.atLeast} taken edges; ${taken} were taken and ${missing} are left`,
    });
  }
}

export function startStep(draft: Draft, node: StepNode): void {
  for (const index of node.cancels) cancelBehind(draft, draft.graph.nodes[index] as StepNode);
  const kept = keptOf(draft.step(node.name));
  if (node.kind === "run") {
    const since = node.seesOptional ? { since: draft.revision } : {};
    draft.set(node.name, { ...kept, status: "active", ...since, ...heldBack(draft) });
    return;
  }
  draft.set(node.name, {
    ...kept,
    status: "waiting",
    ...(node.durationMs === undefined
      ? {}
      : { wakeAt: draft.now + node.durationMs, wakeEvent: node.kind === "timer" ? DONE_NAME : TIMEOUT_EVENT }),
  });
  takeFromInbox(draft, node);
}

function cancelBehind(draft: Draft, node: StepNode): void {
  const step = draft.step(node.name);
  if (step === undefined || step.status === "idle" || isOpen(step)) {
    settleStep(draft, node, { ...keptOf(step), status: "cancelled", outrun: true });
  }
}
