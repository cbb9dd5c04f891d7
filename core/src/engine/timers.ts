import type { StepNode } from "../definition/graph.ts";
import type { Draft } from "./draft.ts";
import { nextToCompensate } from "./ending.ts";
import { propagate } from "./joins.ts";
import { isEnded } from "./run-state.ts";
import { completeStep } from "./settle.ts";
import type { StepState, Timestamp } from "./state.ts";
import type { StateView } from "./view.ts";

/**
 * Fires what has come due by now, the earliest first, each with all that follows from it. Waits emit their event;
 * back-offs end, so that the step may be run. While the run is paused nothing fires: it does when the run goes on.
 * @returns whether anything did
 */
export function fireDue(draft: Draft): boolean {
  if (draft.paused) return false;
  const due: [Timestamp, string][] = [];
  // What waits still when its run ends was left so by somebody without the code, and is to be cancelled.
  for (const name of draft.ending ? [] : draft.open()) {
    const { wakeAt } = draft.step(name) as StepState;
    if (wakeAt !== undefined && wakeAt <= draft.now) due.push([wakeAt, name]);
  }
  due.sort(([one], [other]) => one - other);
  for (const [, name] of due) {
    fire(draft, draft.node(name) as StepNode);
    propagate(draft);
  }
  const compensates = draft.ending !== undefined && fireCompensation(draft);
  return due.length > 0 || compensates;
}

function fire(draft: Draft, node: StepNode): void {
  const { wakeAt, wakeEvent, ...step } = draft.at(node.index) as StepState;
  if (wakeAt === undefined) return;
  if (step.status !== "waiting") draft.put(node.index, step);
  else if (wakeEvent !== undefined) completeStep(draft, node, step, wakeEvent, {});
}

function fireCompensation(draft: Draft): boolean {
  const name = nextToCompensate(draft);
  const step = name === undefined ? undefined : draft.step(name);
  if (name === undefined || step?.compensation?.wakeAt === undefined) return false;
  const { wakeAt, ...compensation } = step.compensation;
  if (wakeAt > draft.now) return false;
  draft.set(name, { ...step, compensation });
  return true;
}

/** When something of the run comes due next; undefined when nothing does by itself. */
export function nextTimer(view: StateView): Timestamp | undefined {
  if (isEnded(view.status)) return retentionEnd(view);
  if (view.paused) return undefined;
  let next = Number.POSITIVE_INFINITY;
  for (const name of view.open()) next = Math.min(next, view.step(name)?.wakeAt ?? next);
  if (view.ending) {
    if (view.active > 0) next = Math.min(next, view.ending.until);
    next = Math.min(next, compensationTimer(view) ?? next);
  }
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}

/** When an ended run is to be forgotten; undefined for one that is kept, or is gone. */
export function retentionEnd({ graph, status, endedAt }: StateView): Timestamp | undefined {
  const { retentionMs } = graph;
  return status === "deleted" || retentionMs === undefined ? undefined : (endedAt ?? 0) + retentionMs;
}

/** When the next compensation is to be tried again; undefined when there is none, or nothing to wait for. */
export function compensationTimer(view: StateView): Timestamp | undefined {
  const name = nextToCompensate(view);
  return name === undefined ? undefined : view.step(name)?.compensation?.wakeAt;
}
