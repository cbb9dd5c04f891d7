import type { Vertex } from "./vertex.ts";

export type Link = readonly [from: number, to: number];

const SWEEPS = 12;

/** The vertices of each layer from left to right, so that few links cross. Links lead from a layer to the next. */
export function orderLayers(vertices: readonly Vertex[], links: readonly Link[]): number[][] {
  const rows: number[][] = [];
  vertices.forEach(({ layer }, index) => {
    while (rows.length <= layer) rows.push([]);
    rows[layer]?.push(index);
  });
  const above = neighbours(vertices.length, links, 1);
  const below = neighbours(vertices.length, links, 0);
  let best = rows.map((row) => [...row]);
  let fewest = crossings(rows, above);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (let step = 1; step < rows.length; step++) {
      const layer = down ? step : rows.length - 1 - step;
      const fixed = positions(rows[down ? layer - 1 : layer + 1] ?? []);
      const own = positions(rows[layer] ?? []);
      const side = down ? above : below;
      const weight = (index: number) =>
        mean((side[index] ?? []).map((one) => fixed.get(one) ?? 0)) ?? own.get(index) ?? 0;
      rows[layer]?.sort((one, other) => weight(one) - weight(other));
    }
    const count = crossings(rows, above);
    if (count < fewest) {
      fewest = count;
      best = rows.map((row) => [...row]);
    }
  }
  return best;
}

/** For each vertex the other ends of its links; `side` is the end at which the vertex itself stands. */
export function neighbours(count: number, links: readonly Link[], side: 0 | 1): number[][] {
  const found: number[][] = Array.from({ length: count }, () => []);
  for (const link of links) found[link[side]]?.push(link[1 - side] as number);
  return found;
}

function crossings(rows: readonly (readonly number[])[], above: readonly (readonly number[])[]): number {
  let count = 0;
  rows.forEach((row, layer) => {
    const upper = positions(rows[layer - 1] ?? []);
    const ends = row.flatMap((index, lower) =>
      (above[index] ?? []).map((one) => [upper.get(one) ?? 0, lower] as const),
    );
    ends.forEach(([oneUpper, oneLower], position) => {
      for (const [otherUpper, otherLower] of ends.slice(position + 1)) {
        if ((oneUpper - otherUpper) * (oneLower - otherLower) < 0) count += 1;
      }
    });
  });
  return count;
}

function positions(row: readonly number[]): ReadonlyMap<number, number> {
  return new Map(row.map((index, position) => [index, position]));
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
