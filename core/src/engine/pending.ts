import type { Graph } from "../definition/graph.ts";
import { callsForSeries } from "./attempts.ts";
import { nextToCompensate } from "./ending.ts";
import { isEnded, isRunnable, type RunState } from "./run-state.ts";
import type { StepState, Timestamp } from "./state.ts";
import { nextTimer, retentionEnd } from "./timers.ts";
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
const IDLE: PendingWork = {
  run: NOTHING,
  choose: NOTHING,
  abort: NOTHING,
  compensate: undefined,
  serial: false,
  wakeAt: undefined,
};

/**
 * The pending work of a run, derived from its state alone: start-up, takeover and normal running all ask here.
 * Timers that are due are in it as `wakeAt` in the past: a `wake` makes of them what follows.
 */
export function pendingWork(graph: Graph, state: RunState): PendingWork {
  if (isEnded(state.status)) {
    const wakeAt = retentionEnd(viewOf(graph, state));
    return wakeAt === undefined ? IDLE : { ...IDLE, wakeAt };
  }
  if (state.ending) return endingWork(graph, state);
  const run: string[] = [];
  const choose: string[] = [];
  let serial = false;
  let wakeAt = Number.POSITIVE_INFINITY;
  for (const name of state.open) {
    const step = state.steps.get(name) as StepState;
    if (step.wakeAt !== undefined) wakeAt = Math.min(wakeAt, step.wakeAt);
    else if (step.status === "active") run.push(name);
    else if (step.status === "choosing") choose.push(name);
    serial ||= callsForSeries(step);
  }
  const isTimed = !state.paused && wakeAt !== Number.POSITIVE_INFINITY;
  return { ...IDLE, run, choose, serial: serial && run.length > 0, wakeAt: isTimed ? wakeAt : undefined };
}

function endingWork(graph: Graph, state: RunState): PendingWork {
  const view = viewOf(graph, state);
  const wakeAt = nextTimer(view);
  // What only waits is cancelled by the next decision.
  const abort = [...state.open].filter((name) => isRunnable(state.steps.get(name)));
  const next = state.open.size === 0 ? nextToCompensate(view) : undefined;
  const isReady = next !== undefined && state.steps.get(next)?.compensation?.wakeAt === undefined;
  return { ...IDLE, abort, compensate: isReady ? next : undefined, wakeAt };
}
