import { DONE, type Graph, type StepNode } from "../definition/graph.ts";

/** The position of the start among an edge's ends: not a node. */
export const START = -2;

/** An edge of a workflow's graph: one per pair of steps, whatever events lead along it. */
export interface GraphEdge {
  /** Index of a node, or `START`. */
  readonly from: number;
  /** Index of a node, or `DONE`. */
  readonly to: number;
  /** The events that lead along it. */
  readonly events: readonly string[];
  /** Those of the events whose targets user code chooses. */
  readonly choices: readonly string[];
  /** Whether it is taken when the step fails. */
  readonly failure: boolean;
}

/** All edges between steps, and to the end, in the order of the steps. */
export function edgesOf(graph: Graph): readonly GraphEdge[] {
  return graph.nodes.flatMap((node) => {
    const found = new Map<number, { events: string[]; choices: string[]; failure: boolean }>();
    const edgeTo = (target: number) => {
      const edge = found.get(target) ?? { events: [], choices: [], failure: false };
      found.set(target, edge);
      return edge;
    };
    for (const [event, { targets, choice }] of node.routes) {
      for (const target of targets) {
        edgeTo(target).events.push(event);
        if (choice) edgeTo(target).choices.push(event);
      }
    }
    if (typeof node.onFailure === "number") edgeTo(node.onFailure).failure = true;
    return [...found].map(([to, edge]) => ({ from: node.index, to, ...edge }));
  });
}

/** The edges from the start to the steps that a run begins with. */
export function startEdgesOf(graph: Graph): readonly GraphEdge[] {
  return graph.starts.map((to) => ({ from: START, to, events: [], choices: [], failure: false }));
}

/** The length of the longest way from a start to each node. */
export function depthsOf(graph: Graph, edges: readonly GraphEdge[] = edgesOf(graph)): readonly number[] {
  const depths: number[] = graph.nodes.map(() => 0);
  const open: number[] = graph.nodes.map(() => 0);
  const outOf: number[][] = graph.nodes.map(() => []);
  for (const { from, to } of edges) {
    if (to === DONE || from === START) continue;
    outOf[from]?.push(to);
    open[to] = (open[to] ?? 0) + 1;
  }
  const order = graph.nodes.map(({ index }) => index).filter((index) => open[index] === 0);
  for (const from of order) {
    for (const to of outOf[from] ?? []) {
      depths[to] = Math.max(depths[to] ?? 0, (depths[from] ?? 0) + 1);
      open[to] = (open[to] ?? 0) - 1;
      if (open[to] === 0) order.push(to);
    }
  }
  return depths;
}

/** The steps as a drawing shows them: from the starts downwards. */
export function stepsInOrder(graph: Graph): readonly StepNode[] {
  const depths = depthsOf(graph);
  return graph.nodes.toSorted((one, other) => (depths[one.index] ?? 0) - (depths[other.index] ?? 0));
}
