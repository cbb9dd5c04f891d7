import { DONE, type StepNode } from "./graph.ts";
import type { Problems } from "./problems.ts";

/**
 * Cycles, unreachable steps, steps from which no path ends, joins that cannot fill.
 * @returns the steps in an order in which edges lead forward, or undefined when there is a cycle
 */
export function checkShape(nodes: readonly StepNode[], problems: Problems): number[] | undefined {
  const starts = nodes.filter((node) => node.isStart).map((node) => node.index);
  const reached = reach(starts, (node) => node.targets, nodes);
  for (const node of nodes) {
    if (!reached.has(node.index)) problems.add("STEP_UNREACHABLE", `no path leads to step ${node.name}`, node.name);
  }
  const ends = nodes.filter((node) => node.mayEnd).map((node) => node.index);
  const ending = reach(ends, (node) => node.sources, nodes);
  for (const node of nodes) {
    if (!ending.has(node.index))
      problems.add("DONE_UNREACHABLE", `no path from step ${node.name} leads to done`, node.name);
  }
  for (const node of nodes) {
    if (node.atLeast !== undefined && node.atLeast > node.inDegree) {
      problems.add(
        "JOIN_UNFILLABLE",
        `join of ${node.name} needs ${node.atLeast} edges and has ${node.inDegree}`,
        node.name,
      );
    }
  }
  return sortTopologically(nodes, problems);
}

function reach(
  from: readonly number[],
  next: (node: StepNode) => readonly number[],
  nodes: readonly StepNode[],
): Set<number> {
  const seen = new Set(from.filter((index) => index !== DONE));
  for (const index of seen) for (const target of next(nodes[index] as StepNode)) seen.add(target);
  return seen;
}

function sortTopologically(nodes: readonly StepNode[], problems: Problems): number[] | undefined {
  const missing = nodes.map((node) => node.sources.length);
  const order = nodes.filter((node) => node.sources.length === 0).map((node) => node.index);
  for (const index of order) {
    for (const target of (nodes[index] as StepNode).targets) {
      missing[target] = (missing[target] as number) - 1;
      if (missing[target] === 0) order.push(target);
    }
  }
  const sorted = new Set(order);
  const rest = new Set(nodes.map((node) => node.index).filter((index) => !sorted.has(index)));
  for (let cycle = findCycle(nodes, rest); cycle.length > 0; cycle = findCycle(nodes, rest)) {
    const names = cycle.map((index) => (nodes[index] as StepNode).name);
    problems.add("CYCLE", `a cycle: ${[...names, names[0]].join(" → ")}`, ...names);
    for (const index of cycle) rest.delete(index);
  }
  return order.length === nodes.length ? order : undefined;
}

/** Walks back from step to source among the rest until one comes again; what has no source there is on no cycle. */
function findCycle(nodes: readonly StepNode[], rest: Set<number>): number[] {
  let path: number[] = [];
  let index = rest.values().next().value;
  while (index !== undefined && !path.includes(index)) {
    path.push(index);
    const source = (nodes[index] as StepNode).sources.find((one) => rest.has(one));
    if (source === undefined) {
      rest.delete(index);
      path = [];
    }
    index = source ?? rest.values().next().value;
  }
  if (index === undefined) return [];
  const cycle = path.slice(path.indexOf(index)).reverse();
  // As the definition reads: from the step that it mentions first.
  const first = cycle.indexOf(Math.min(...cycle));
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
