import { DONE, type Graph, type StepNode } from "../definition/graph.ts";
import { depthsOf, type GraphEdge, START } from "./edges.ts";
import { type Link, orderLayers } from "./order.ts";
import { placeInRows } from "./place.ts";
import type { Vertex } from "./vertex.ts";

/** How wide things are, in the drawing's own unit. */
export interface Measure {
  readonly step: (node: StepNode) => number;
  readonly start: number;
  readonly done: number;
  /** An edge where it passes a layer; `first` where it does so for the first time. */
  readonly bend: (edge: GraphEdge, first: boolean) => number;
  /** Between neighbours in a layer. */
  readonly gap: number;
}

/** A graph in layers, after Sugiyama; a slot is the position of a vertex. */
export interface Layers {
  readonly vertices: readonly Vertex[];
  /** For each edge the slots that it passes, its ends included. */
  readonly chains: readonly (readonly number[])[];
  /** The slots of each layer from left to right. */
  readonly rows: readonly (readonly number[])[];
  /** The centre of each vertex. */
  readonly xs: readonly number[];
  /** The slot of a step, of `DONE`, or of `START`. */
  readonly slotOf: (index: number) => number;
}

/**
 * Puts a workflow's graph in layers from top to bottom: each step as deep as its longest way from a start, edges that
 * pass layers bent around what stands there, few crossings, edges as straight as there is room.
 *
 * @param edges those of the graph; the start is a vertex where edges lead out of it
 */
export function layersOf(graph: Graph, edges: readonly GraphEdge[], measure: Measure): Layers {
  const withStart = edges.some(({ from }) => from === START);
  const count = graph.nodes.length;
  const slotOf = (index: number) => (index === DONE ? count : index === START ? count + 1 : index);
  const top = withStart ? 1 : 0;
  const depths = depthsOf(graph, edges).map((depth) => depth + top);
  const bottom = depths.reduce((deepest, depth) => Math.max(deepest, depth), 0) + 1;
  const vertices: Vertex[] = graph.nodes.map((node) => ({
    layer: depths[node.index] ?? 0,
    width: measure.step(node),
    bend: false,
  }));
  vertices.push({ layer: bottom, width: measure.done, bend: false });
  if (withStart) vertices.push({ layer: 0, width: measure.start, bend: false });

  const chains = edges.map((edge) => {
    const chain = [slotOf(edge.from)];
    const first = vertices[slotOf(edge.from)]?.layer ?? 0;
    const last = vertices[slotOf(edge.to)]?.layer ?? 0;
    for (let layer = first + 1; layer < last; layer++) {
      chain.push(vertices.push({ layer, width: measure.bend(edge, chain.length === 1), bend: true }) - 1);
    }
    return [...chain, slotOf(edge.to)];
  });
  const links = chains.flatMap((chain) => chain.slice(1).map((to, position): Link => [chain[position] as number, to]));
  const rows = orderLayers(vertices, links);
  return { vertices, chains, rows, xs: placeInRows(vertices, links, rows, measure.gap), slotOf };
}
