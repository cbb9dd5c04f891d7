import { DONE, type Graph } from "@hephaestus/core";
import { depthsOf, edgesOf, type GraphEdge, labelOf } from "./edges.ts";
import { orderLayers } from "./order.ts";
import { placeInRows } from "./place.ts";
import type { Vertex } from "./vertex.ts";

interface PlacedNode {
  /** Index of the step, or `DONE`. */
  readonly index: number;
  /** The centre. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface PlacedEdge {
  readonly edge: GraphEdge;
  /** An SVG path. */
  readonly path: string;
  readonly label: string;
  readonly labelX: number;
  readonly labelY: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export const NODE_HEIGHT = 42;
const LAYER_GAP = 34;
const PADDING = 12;
const BEND_WIDTH = 10;
const CHARACTER_WIDTH = 7.7;
const LABEL_CHARACTER_WIDTH = 6.4;
const NODE_WIDTH_MIN = 100;
const END_WIDTH = 64;
const ARROW = 5;

type Point = readonly [x: number, y: number];

/**
 * Lays a workflow's graph out in layers, from top to bottom, after Sugiyama: each step as deep as its longest way from
 * a start, edges that pass layers bent around what stands there, few crossings, edges as straight as there is room.
 */
export function layoutGraph(graph: Graph): Layout {
  const edges = edgesOf(graph);
  const end = graph.nodes.length;
  const slotOf = (index: number) => (index === DONE ? end : index);
  const depth = depthsOf(graph, edges);
  const vertices: Vertex[] = graph.nodes.map(({ name }, index) => ({
    layer: depth[index] ?? 0,
    width: Math.max(NODE_WIDTH_MIN, 34 + name.length * CHARACTER_WIDTH),
    bend: false,
  }));
  vertices.push({ layer: Math.max(0, ...depth) + 1, width: END_WIDTH, bend: false });

  /** The vertices that each edge passes, its ends included. */
  const chains = edges.map((edge) => {
    const chain = [slotOf(edge.from)];
    const last = vertices[slotOf(edge.to)] as Vertex;
    const label = labelOf(edge).length * LABEL_CHARACTER_WIDTH;
    for (let layer = (depth[edge.from] ?? 0) + 1; layer < last.layer; layer++) {
      // The label stands at the first bend, which leaves room for it.
      chain.push(vertices.push({ layer, width: chain.length === 1 ? label + BEND_WIDTH : BEND_WIDTH, bend: true }) - 1);
    }
    return [...chain, slotOf(edge.to)];
  });

  const links = chains.flatMap((chain) =>
    chain.slice(1).map((to, position) => [chain[position] as number, to] as const),
  );
  const rows = orderLayers(vertices, links);
  const xs = placeInRows(vertices, links, rows);
  const left = Math.min(...vertices.map(({ width }, index) => (xs[index] ?? 0) - width / 2)) - PADDING;
  const right = Math.max(...vertices.map(({ width }, index) => (xs[index] ?? 0) + width / 2)) + PADDING;
  const x = (slot: number) => (xs[slot] ?? 0) - left;
  const y = (slot: number) => PADDING + NODE_HEIGHT / 2 + (vertices[slot]?.layer ?? 0) * (NODE_HEIGHT + LAYER_GAP);

  const ports = spreadPorts(vertices, chains, x);
  return {
    width: Math.ceil(right - left),
    height: Math.ceil(y(end) + NODE_HEIGHT / 2 + PADDING),
    nodes: vertices.slice(0, end + 1).map(({ width }, slot) => ({
      index: slot === end ? DONE : slot,
      x: x(slot),
      y: y(slot),
      width,
      height: NODE_HEIGHT,
    })),
    edges: edges.map((edge, index) => {
      const chain = chains[index] as number[];
      const points = chain.flatMap((slot, position): Point[] => {
        const out: Point = [x(slot) + (position === 0 ? (ports.out[index] ?? 0) : 0), y(slot) + NODE_HEIGHT / 2];
        const last = position === chain.length - 1;
        const into: Point = [x(slot) + (last ? (ports.into[index] ?? 0) : 0), y(slot) - NODE_HEIGHT / 2];
        if (position === 0) return [out];
        return last ? [[into[0], into[1] - ARROW]] : [into, out];
      });
      const [first, second] = points as [Point, Point];
      const bent = chain.length > 2;
      return {
        edge,
        path: pathThrough(points),
        label: labelOf(edge),
        labelX: bent ? second[0] : (first[0] + second[0]) / 2,
        labelY: bent ? second[1] + NODE_HEIGHT / 2 : (first[1] + second[1]) / 2,
      };
    }),
  };
}

/** Edges at one side of a step stand apart, in the order of where they come from or go to, so that they do not cross. */
function spreadPorts(
  vertices: readonly Vertex[],
  chains: readonly (readonly number[])[],
  x: (slot: number) => number,
): { readonly out: readonly number[]; readonly into: readonly number[] } {
  const spread = (near: (chain: readonly number[]) => number, far: (chain: readonly number[]) => number) => {
    const offsets: number[] = chains.map(() => 0);
    for (const slot of new Set(chains.map(near))) {
      const members = chains.flatMap((chain, index) => (near(chain) === slot ? [index] : []));
      members.sort((one, other) => x(far(chains[one] ?? [])) - x(far(chains[other] ?? [])));
      const step = Math.min(18, ((vertices[slot]?.width ?? 0) * 0.6) / members.length);
      members.forEach((member, position) => {
        offsets[member] = (position - (members.length - 1) / 2) * step;
      });
    }
    return offsets;
  };
  return {
    out: spread(
      (chain) => chain[0] as number,
      (chain) => chain[1] as number,
    ),
    into: spread(
      (chain) => chain.at(-1) as number,
      (chain) => chain.at(-2) as number,
    ),
  };
}

/** Vertical at every point: a curve between the layers, a straight line through one. */
function pathThrough(points: readonly Point[]): string {
  const round = (value: number) => Math.round(value * 10) / 10;
  return points
    .map(([x, y], index) => {
      const before = points[index - 1];
      if (before === undefined) return `M${round(x)} ${round(y)}`;
      const middle = round((before[1] + y) / 2);
      return `C${round(before[0])} ${middle} ${round(x)} ${middle} ${round(x)} ${round(y)}`;
    })
    .join("");
}
