import type { StepNode } from "../definition/graph.ts";
import type { Draft } from "./draft.ts";
import type { InboxItem } from "./run-state.ts";
import { completeStep } from "./settle.ts";
import type { StepState } from "./state.ts";

/** Ends a waiting step with an event from outside. */
export function deliver(draft: Draft, node: StepNode, item: InboxItem): void {
  draft.leaveInbox(item);
  const step = draft.at(node.index) as StepState;
  const waited = item.revision === draft.revision ? {} : { takenAt: draft.revision };
  const result = item.payload ? { result: item.revision, ...waited } : {};
  completeStep(draft, node, step, item.event, { taken: item.id, ...result });
}

/** Gives a step that has just begun to wait the first event that is for it. While the run is paused, none is given. */
export function takeFromInbox(draft: Draft, node: StepNode): void {
  if (draft.paused) return;
  for (const item of draft.untaken()) {
    if (!canTake(draft, node, item)) continue;
    deliver(draft, node, item);
    return;
  }
}

/** The step that has waited longest for an event like this. */
export function longestWaiting(draft: Draft, item: InboxItem): StepNode | undefined {
  const nodes = draft.graph.receivers.get(item.event)?.filter((node) => canTake(draft, node, item)) ?? [];
  if (nodes.length < 2) return nodes[0];
  for (const name of draft.open()) {
    const node = nodes.find((one) => one.name === name);
    if (node) return node;
  }
  return undefined;
}

/** An event that was accepted at or after a step's deadline comes too late for it, whether or not the timer has fired. */
function canTake(draft: Draft, node: StepNode, item: InboxItem): boolean {
  const step = draft.at(node.index);
  if (step?.status !== "waiting" || !node.receives.has(item.event)) return false;
  return (item.step ?? node.name) === node.name && item.at < (step.wakeAt ?? Number.POSITIVE_INFINITY);
}
