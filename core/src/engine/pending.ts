import type { Graph } from "../definition/graph.ts";
import { isSerial } from "./attempts.ts";
import { nextToCompensate } from "./ending.ts";
import { isEnded, type RunState } from "./run-state.ts";
import type { StepState, Timestamp } from "./state.ts";
import { nextTimer } from "./timers.ts";
import { viewOf } from "./view.ts";

/** What a driver has to do, as the state says. */
export interface PendingWork {
  /** Steps to be run, in this order. */
  readonly run: readonly string[];
  /** Steps whose `choose` is to be run. */
  readonly choose: readonly string[];
  /** Steps whose attempts are to be aborted, since the run ends. */
  readonly abort: readonly string[];
  /** The step that is to be compensated. */
  readonly compensate: string | undefined;
  /** At most one step at a time. */
  readonly serial: boolean;
  /** When to wake the run next. */
  readonly wakeAt: Timestamp | undefined;
}

const NOTHING: readonly string[] = [];

/**
 * The pending work of a run, derived from its state alone: start-up, takeover and normal running all ask here.
 * Timers that are due are in it as `wakeAt` in the past: a `wake` makes of them what follows.
 */
export function pendingWork(graph: Graph, state: RunState): PendingWork {
  const view = viewOf(graph, state);
  const idle = { run: NOTHING, choose: NOTHING, abort: NOTHING, compensate: undefined, serial: false };
  if (isEnded(state.status)) return { ...idle, wakeAt: undefined };
  const wakeAt = nextTimer(view);
  if (state.ending) {
    const abort = [...state.open];
    const next = abort.length === 0 ? nextToCompensate(view) : undefined;
    const ready = next !== undefined && state.steps.get(next)?.compensation?.wakeAt === undefined;
    return { ...idle, abort, compensate: ready ? next : undefined, wakeAt };
  }
  if (state.runnable === 0) return { ...idle, wakeAt };
  const run: string[] = [];
  const choose: string[] = [];
  for (const name of state.open) {
    const step = state.steps.get(name) as StepState;
    if (step.status === "choosing") choose.push(name);
    else if (step.status === "active" && step.wakeAt === undefined) run.push(name);
  }
  return { run, choose, abort: NOTHING, compensate: undefined, serial: isSerial(view), wakeAt };
}
