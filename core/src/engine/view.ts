import type { Graph } from "../definition/graph.ts";
import type { RunState } from "./run-state.ts";
import type { Ending, StepState } from "./state.ts";

/** A state to be read: a draft, or what is committed. */
export interface StateView {
  readonly graph: Graph;
  readonly base: RunState;
  readonly steps: ReadonlyMap<string, StepState>;
  readonly ending: Ending | undefined;
  readonly active: number;
  readonly paused: boolean;
  open(): Iterable<string>;
  step(name: string): StepState | undefined;
}

/** What is committed, as a view: a draft without changes. */
export function viewOf(graph: Graph, state: RunState): StateView {
  return {
    base: state,
    graph,
    steps: NO_STEPS,
    ending: state.ending,
    active: state.active,
    paused: state.paused,
    open: () => state.open,
    step: (name) => state.steps.get(name),
  };
}
const NO_STEPS: ReadonlyMap<string, StepState> = new Map();
