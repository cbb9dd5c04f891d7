import type { Graph } from "../definition/graph.ts";
import type { RunState } from "./run-state.ts";
import type { Ending, RunStatus, StepState, Timestamp } from "./state.ts";

/** A state to be read: a draft, or what is committed. */
export interface StateView {
  readonly graph: Graph;
  readonly status: RunStatus;
  readonly endedAt: Timestamp | undefined;
  readonly ending: Ending | undefined;
  readonly active: number;
  readonly paused: boolean;
  step(name: string): StepState | undefined;
  /** The steps that are active, waiting or choosing, in the order in which they became so. */
  open(): Iterable<string>;
  /** The steps that have something to undo, the last one first; some that are undone may be left out. */
  effects(): Iterable<string>;
}

/** What is committed, as a view: a draft without changes. */
export function viewOf(graph: Graph, state: RunState): StateView {
  const { status, endedAt, ending, active, paused } = state;
  return {
    graph,
    status,
    endedAt,
    ending,
    active,
    paused,
    step: (name) => state.steps.get(name),
    open: () => state.open,
    effects: () => lastFirst(state),
  };
}

function* lastFirst({ effects, undone }: RunState): Generator<string> {
  for (let index = effects.length - 1 - undone; index >= 0; index--) yield effects[index] as string;
}
