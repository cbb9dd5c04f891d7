import { DONE, type Graph, type InstanceView } from "@hephaestus/core";
import type { GraphEdge } from "@hephaestus/core/drawing";

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
