import type { StepNode } from "../definition/graph.ts";
import type { Draft } from "./draft.ts";
import type { InboxItem } from "./run-state.ts";
import { completeStep } from "./settle.ts";

/** Ends a waiting step with an event from outside. */
export function deliver(draft: Draft, node: StepNode, item: InboxItem): void {
  draft.leaveInbox(item.id);
  completeStep(draft, node, item.event, { taken: item.id, ...(item.payload ? { result: item.revision } : {}) });
}

/**
 * Gives a step that has just begun to wait, or may take events again, the first event that is for it.
 * An event accepted at or after the step's deadline comes too late for it.
 */
export function takeFromInbox(draft: Draft, node: StepNode): void {
  const deadline = draft.step(node.name)?.wakeAt ?? Number.POSITIVE_INFINITY;
  for (const item of draft.untaken()) {
    if (!node.receives.has(item.event) || (item.step ?? node.name) !== node.name || item.at >= deadline) continue;
    deliver(draft, node, item);
    return;
  }
}
