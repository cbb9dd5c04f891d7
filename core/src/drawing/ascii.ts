import { DONE, type Graph } from "../definition/graph.ts";
import { type Box, boxesOf, type Exit, exitWidth, rowsOf } from "./ascii-boxes.ts";
import { makeCanvas } from "./canvas.ts";
import { routeChannel } from "./channel.ts";
import { edgesOf, START, startEdgesOf } from "./edges.ts";
import { type Layers, layersOf } from "./layers.ts";

/*
 * Lines stand in even columns only, and so does the left side of each box. Two lines side by side never look like one:
 * a `+` is a corner or a fork, a `|` between two `-` is a crossing.
 */
const GAP = 4;
const BEND_WIDTH = 1;

/**
 * Draws a workflow's graph with the characters of ASCII, for terminals and comments in code.
 *
 * @example console.log(toAscii(orderFlow.graph));
 */
export function toAscii(graph: Graph): string {
  const edges = [...startEdgesOf(graph), ...edgesOf(graph)];
  const boxes = boxesOf(graph, edges);
  const widthOf = (index: number) => boxes.get(index)?.width ?? 0;
  const layers = layersOf(graph, edges, {
    step: ({ index }) => widthOf(index),
    start: widthOf(START),
    done: widthOf(DONE),
    bend: () => BEND_WIDTH,
    gap: GAP,
  });
  const bySlot = new Map([...boxes].map(([index, box]) => [layers.slotOf(index), box]));
  return drawLayers(layers, bySlot);
}

/** The left column of each slot: even, and the leftmost is 0. */
function columnsOf(vertices: Layers["vertices"], xs: readonly number[]): readonly number[] {
  const columns = vertices.map(({ width }, slot) => 2 * Math.round(((xs[slot] ?? 0) - width / 2) / 2));
  const least = columns.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  return columns.map((column) => column - least);
}

function drawLayers({ rows, vertices, chains, xs }: Layers, boxes: ReadonlyMap<number, Box>): string {
  const canvas = makeCanvas();
  const left = columnsOf(vertices, xs);
  const leftOf = (slot: number) => left[slot] ?? 0;
  /** The column in which each edge comes down from what is drawn so far. */
  const columns: number[] = chains.map(() => 0);
  const columnOf = (edge: number) => columns[edge] ?? 0;
  const vertical = (column: number, from: number, to: number) => {
    for (let row = from; row <= to; row++) canvas.put(row, column, "|");
  };

  /** The slot in a layer that each edge leads to from the layer above. */
  const arrivals = (layer: number): ReadonlyMap<number, number> =>
    new Map(
      chains.flatMap((chain, edge) => {
        const slot = chain[layer - (vertices[chain[0] ?? 0]?.layer ?? 0)];
        return slot === undefined || slot === chain[0] ? [] : [[edge, slot] as const];
      }),
    );

  /** The lines from one layer to the next, with arrows where they lead into boxes; returns the rows that it took. */
  const drawChannel = (y: number, layer: number): number => {
    const arriving = arrivals(layer);
    const entries = new Map<number, number>();
    for (const slot of rows[layer] ?? []) {
      const edges = [...arriving].flatMap(([edge, to]) => (to === slot ? [edge] : []));
      edges.sort((one, other) => columnOf(one) - columnOf(other));
      const box = boxes.get(slot);
      const places = box ? spread(edges.map(columnOf), leftOf(slot) + 2, leftOf(slot) + box.width - 3) : [leftOf(slot)];
      edges.forEach((edge, position) => {
        entries.set(edge, places[position] ?? 0);
      });
    }
    const nets = new Map<number, number[]>();
    for (const [edge, column] of entries) {
      nets.set(columnOf(edge), [...(nets.get(columnOf(edge)) ?? []), column]);
    }
    const channel = routeChannel([...nets].map(([top, bottoms]) => ({ top, bottoms })));
    for (const { row, from, to } of channel.horizontals) canvas.put(y + row, from, "-".repeat(to - from + 1));
    for (const { column, from, to } of channel.verticals) vertical(column, y + from, y + to);
    for (const { row, column } of channel.joints) canvas.put(y + row, column, "+");
    for (const [edge, column] of entries) {
      canvas.put(y + channel.rows, column, boxes.has(arriving.get(edge) ?? -1) ? "v" : "|");
      columns[edge] = column;
    }
    return channel.rows + 1;
  };

  /** The lines out of a box down to the end of its layer, with their words. */
  const drawExits = (slot: number, { exits, width, height }: Box, y: number, end: number) => {
    const aim = ({ edges }: Exit) => mean(edges.map((edge) => leftOf(chains[edge]?.[1] ?? 0)));
    const room = exits.reduce((sum, exit) => sum + exitWidth(exit), 0);
    const middle = mean(
      exits.map((_, position) => exits.slice(0, position).reduce((sum, exit) => sum + exitWidth(exit), 0)),
    );
    // The lines about the middle, as far as the words leave room.
    let column = leftOf(slot) + 2 * Math.floor(Math.min((width - middle) / 2, width - room) / 2);
    for (const exit of exits.toSorted((one, other) => aim(one) - aim(other))) {
      vertical(column, y + height, end);
      canvas.put(y + height, column + 2, exit.label);
      for (const edge of exit.edges) columns[edge] = column;
      column += exitWidth(exit);
    }
  };

  let y = 0;
  rows.forEach((row, layer) => {
    if (layer > 0) y += drawChannel(y, layer);
    const end = y + Math.max(...row.map((slot) => boxes.get(slot)?.height ?? 0));
    for (const slot of row) {
      const box = boxes.get(slot);
      if (box === undefined) {
        vertical(leftOf(slot), y, end);
        continue;
      }
      rowsOf(box).forEach((text, position) => {
        canvas.put(y + position, leftOf(slot), text);
      });
      drawExits(slot, box, y, end);
    }
    y = end + 1;
  });
  return canvas.toText();
}

/** Places as near to the wishes as can be, in their order, 2 apart, from a first column to a last one. */
function spread(wishes: readonly number[], first: number, last: number): readonly number[] {
  const places = wishes.map((wish) => Math.min(Math.max(wish, first), last));
  for (let position = 1; position < places.length; position++) {
    places[position] = Math.max(places[position] ?? 0, (places[position - 1] ?? 0) + 2);
  }
  for (let position = places.length - 1, limit = last; position >= 0; position--, limit -= 2) {
    places[position] = Math.min(places[position] ?? 0, limit);
  }
  return places;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
