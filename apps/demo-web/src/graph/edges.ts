import { DONE, type Graph, type InstanceView, type StepNode } from "@hephaestus/core";

/** An edge of a workflow's graph: one per pair of steps, whatever events lead along it. */
export interface GraphEdge {
  /** Index of a node. */
  readonly from: number;
  /** Index of a node, or `DONE`. */
  readonly to: number;
  readonly events: readonly string[];
  /** Taken when the step fails. */
  readonly failure: boolean;
}

export function edgesOf(graph: Graph): readonly GraphEdge[] {
  return graph.nodes.flatMap((node) => {
    const events = new Map<number, string[]>();
    for (const [event, { targets }] of node.routes) {
      for (const target of targets) events.set(target, [...(events.get(target) ?? []), event]);
    }
    const edges = [...events].map(([to, names]) => ({ from: node.index, to, events: names, failure: false }));
    const failure = typeof node.onFailure === "number" ? node.onFailure : undefined;
    return failure === undefined || events.has(failure)
      ? edges
      : [...edges, { from: node.index, to: failure, events: [], failure: true }];
  });
}

/** The length of the longest way from a start to each node. */
export function depthsOf(graph: Graph, edges: readonly GraphEdge[] = edgesOf(graph)): readonly number[] {
  const sources = graph.nodes.map(({ index }) => edges.filter((edge) => edge.to === index).map((edge) => edge.from));
  const known = new Map<number, number>();
  const depthOf = (index: number): number => {
    const before = known.get(index);
    if (before !== undefined) return before;
    const depth = Math.max(-1, ...(sources[index] ?? []).map(depthOf)) + 1;
    known.set(index, depth);
    return depth;
  };
  return graph.nodes.map(({ index }) => depthOf(index));
}

/** The steps as the drawing shows them: from the starts downwards. */
export function stepsInOrder(graph: Graph): readonly StepNode[] {
  const depths = depthsOf(graph);
  return graph.nodes.toSorted((one, other) => (depths[one.index] ?? 0) - (depths[other.index] ?? 0));
}

/** What is written at an edge; nothing for the event that a step has when it names none. */
export function labelOf({ events, failure }: GraphEdge): string {
  return failure ? "failed" : events.filter((event) => event !== "done").join(", ");
}

/** open: may still be taken. */
export type EdgeState = "open" | "taken" | "dead";

export function edgeState(graph: Graph, edge: GraphEdge, view: InstanceView | undefined): EdgeState {
  const nameOf = (index: number) => graph.nodes[index]?.name ?? "";
  const source = view?.steps[nameOf(edge.from)];
  if (view === undefined || source === undefined) return "open";
  if (source.status === "skipped" || source.status === "cancelled") return "dead";
  if (source.status === "failed") return edge.failure ? "taken" : "dead";
  if (source.status !== "completed") return "open";
  if (source.event === undefined || !edge.events.includes(source.event)) return "dead";
  // Which targets a `choose` picked shows in what became of them.
  const target = edge.to === DONE ? undefined : (view.steps[nameOf(edge.to)]?.status ?? "idle");
  return target === "idle" || target === "skipped" ? "dead" : "taken";
}
