import { DONE, type StepNode } from "./graph.ts";
import type { AnyStep } from "./step.ts";

/** For each join with `cancelRest`: the steps all of whose paths to `done` pass through it. */
export function findCancelled(nodes: readonly StepNode[], steps: readonly AnyStep[]): StepNode[] {
  return nodes.map((node) =>
    steps[node.index]?.definition.cancelRest ? { ...node, cancels: stepsBehind(node.index, nodes) } : node,
  );
}

function stepsBehind(join: number, nodes: readonly StepNode[]): number[] {
  // Walk back from `done` without passing through the join: what is not reached leads through it only.
  const free = new Set(nodes.filter((node) => node.mayEnd && node.index !== join).map((node) => node.index));
  for (const index of free) {
    for (const source of (nodes[index] as StepNode).sources) if (source !== join && source !== DONE) free.add(source);
  }
  return nodes.map((node) => node.index).filter((index) => index !== join && !free.has(index));
}
