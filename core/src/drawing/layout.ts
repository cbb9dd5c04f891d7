import { DONE, type Graph, type StepNode } from "../definition/graph.ts";
import { edgesOf, type GraphEdge, START, startEdgesOf } from "./edges.ts";
import { labelOf } from "./labels.ts";
import { layersOf, type Measure } from "./layers.ts";
import type { Vertex } from "./vertex.ts";

export interface PlacedNode {
  /** Index of the step, `DONE` or `START`. */
  readonly index: number;
  /** The centre. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
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

export interface LayoutOptions {
  /** Whether the start is drawn, with an edge to each step that a run begins with. */
  readonly start?: boolean;
  /** What is written beneath a step's name. */
  readonly note?: (node: StepNode) => string;
}

export const NODE_HEIGHT = 42;
const END_HEIGHT = 28;
const LAYER_GAP = 34;
const NODE_GAP = 18;
const PADDING = 12;
const BEND_WIDTH = 10;
const CHARACTER_WIDTH = 7.7;
const LABEL_CHARACTER_WIDTH = 6.4;
const NODE_WIDTH_MIN = 100;
const NODE_PADDING = 34;
const END_WIDTH = 64;
const ARROW = 5;

type Point = readonly [x: number, y: number];

/** Lays a workflow's graph out for a drawing in pixels, from top to bottom, with curves for edges. */
export function layoutGraph(graph: Graph, { start = false, note = () => "" }: LayoutOptions = {}): Layout {
  const measure: Measure = {
    step: (node) => {
      const text = Math.max(node.name.length * CHARACTER_WIDTH, note(node).length * LABEL_CHARACTER_WIDTH);
      return Math.max(NODE_WIDTH_MIN, NODE_PADDING + text);
    },
    start: END_WIDTH,
    done: END_WIDTH,
    // The label stands at the first bend, which leaves room for it.
    bend: (edge, first) => (first ? labelOf(edge).length * LABEL_CHARACTER_WIDTH : 0) + BEND_WIDTH,
    gap: NODE_GAP,
  };
  const edges = start ? [...startEdgesOf(graph), ...edgesOf(graph)] : edgesOf(graph);
  const { vertices, chains, xs, slotOf } = layersOf(graph, edges, measure);
  const reach = (side: -1 | 1) =>
    vertices.reduce((most, { width }, slot) => Math.max(most, side * (xs[slot] ?? 0) + width / 2), -Infinity) + PADDING;
  const left = -reach(-1);
  const x = (slot: number) => (xs[slot] ?? 0) - left;
  const y = (slot: number) => PADDING + NODE_HEIGHT / 2 + (vertices[slot]?.layer ?? 0) * (NODE_HEIGHT + LAYER_GAP);

  const heightOf = (slot: number) => (slot === slotOf(DONE) || slot === slotOf(START) ? END_HEIGHT : NODE_HEIGHT);

  const ports = spreadPorts(vertices, chains, x);
  return {
    width: Math.ceil(reach(1) - left),
    height: Math.ceil(y(slotOf(DONE)) + NODE_HEIGHT / 2 + PADDING),
    nodes: [...graph.nodes.map(({ index }) => index), DONE, ...(start ? [START] : [])].map((index) => ({
      index,
      x: x(slotOf(index)),
      y: y(slotOf(index)),
      width: vertices[slotOf(index)]?.width ?? 0,
      height: heightOf(slotOf(index)),
    })),
    edges: edges.map((edge, index) => {
      const chain = chains[index] as number[];
      const points = chain.flatMap((slot, position): Point[] => {
        const out: Point = [x(slot) + (position === 0 ? (ports.out[index] ?? 0) : 0), y(slot) + heightOf(slot) / 2];
        const last = position === chain.length - 1;
        const into: Point = [x(slot) + (last ? (ports.into[index] ?? 0) : 0), y(slot) - heightOf(slot) / 2];
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
