import { HephaestusError } from "../definition/errors.ts";
import { DONE, DONE_NAME } from "../definition/graph.ts";
import { decideInterrupted } from "./attempts.ts";
import type { Draft } from "./draft.ts";
import { refuseStatus } from "./refuse.ts";
import { effectsUnder, hasEffect, isEnded } from "./run-state.ts";
import type { StepState } from "./state.ts";

/**
 * Goes on under other code, if every step that was touched and every edge that was taken is still there. What was begun
 * under the code before is interrupted, unless another runner owns the run: then whoever takes it over says so.
 * @param runner the id of the runner that adopts it
 * @throws HephaestusError PARKED with `details.lost`, STATUS_REFUSES
 */
export function decideAdopt(draft: Draft, runner: string | undefined): void {
  const { graph, base } = draft;
  if (isEnded(draft.status)) refuseStatus(draft, "adopt");
  draft.recount();
  for (const [name, step] of base.steps) {
    const lost = lostOf(draft, name, step);
    if (lost === undefined) continue;
    const message = `${base.id} cannot go on with this code: ${lost} is gone`;
    throw new HephaestusError("PARKED", message, { id: base.id, lost });
  }
  if (draft.fingerprint === graph.fingerprint) return;
  draft.fingerprint = graph.fingerprint;
  draft.regained = effectsUnder(base, graph);
  if (draft.owner === undefined || draft.owner.id === runner) decideInterrupted(draft, { type: "interrupted" });
}

/** What a step's state needs of the graph and does not find; undefined when all is there. */
function lostOf(draft: Draft, name: string, step: StepState): string | undefined {
  const { graph, ending } = draft;
  const { status, event, wakeEvent, targets = [] } = step;
  if (status === "skipped" || status === "idle") return undefined;
  const node = graph.byName.get(name);
  if (node === undefined) return `step ${name}`;
  if (status === "active" && node.kind !== "run") return `the code of step ${name}`;
  if (step.compensation?.status === "active" && !hasEffect(node, step)) return `the compensation of step ${name}`;
  // But the step that makes the run fail, which never had one.
  if (status === "failed" && node.onFailure === undefined && !ending) return `the failure route of ${name}`;
  for (const needed of [event, wakeEvent]) {
    if (needed !== undefined && !node.routes.has(needed)) return `event ${needed} of ${name}`;
  }
  const allowed = node.routes.get(event ?? "")?.targets ?? [];
  const target = targets.find((one) => {
    const index = one === DONE_NAME ? DONE : graph.byName.get(one)?.index;
    return index === undefined || !allowed.includes(index);
  });
  if (target !== undefined) return `the edge from ${name} to ${target}`;
  // Which one led to it the state does not say: under this graph none has.
  return status === "cancelled" || draft.taken(node.index) > 0 ? undefined : `the edge to ${name}`;
}
