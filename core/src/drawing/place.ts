import { type Link, neighbours } from "./order.ts";
import type { Vertex } from "./vertex.ts";

const ROUNDS = 100;
/** How hard a link pulls: bends in a line, hardest, since a long edge should be straight. */
const PULL = { bends: 30, mixed: 2, nodes: 1 } as const;

/** The centres of all vertices: each row in its order and without overlap, each vertex as near to its neighbours as can be. */
export function placeInRows(
  vertices: readonly Vertex[],
  links: readonly Link[],
  rows: readonly (readonly number[])[],
  gap: number,
): number[] {
  const xs: number[] = vertices.map(() => 0);
  const bend = (index: number) => vertices[index]?.bend ?? false;
  const pull = (one: number, other: number) =>
    bend(one) && bend(other) ? PULL.bends : bend(one) || bend(other) ? PULL.mixed : PULL.nodes;
  const above = neighbours(vertices.length, links, 1);
  const below = neighbours(vertices.length, links, 0);
  const pulls = vertices.map(({ width }, index) => {
    const near = [...(above[index] ?? []), ...(below[index] ?? [])].map((other) => ({ other, by: pull(index, other) }));
    return { near, width, weight: near.reduce((sum, { by }) => sum + by, 0) || 1 };
  });

  for (let round = 0; round < ROUNDS; round++) {
    for (const row of round % 2 === 0 ? rows : [...rows].reverse()) {
      const wishes = row.map((index) => {
        const { near, width, weight } = pulls[index] as (typeof pulls)[number];
        let sum = 0;
        for (const { other, by } of near) sum += by * (xs[other] ?? 0);
        return { wish: sum / weight, weight, width };
      });
      settle(wishes, gap).forEach((x, position) => {
        xs[row[position] as number] = x;
      });
    }
  }
  return xs;
}

interface Wish {
  readonly wish: number;
  readonly weight: number;
  readonly width: number;
}

/**
 * The places nearest to the wishes (by weighted squares) that keep order and gaps. Less its distance from the row's
 * beginning, each place must not be smaller than the one before: isotonic regression, by pooling adjacent violators.
 */
function settle(wishes: readonly Wish[], gap: number): number[] {
  const offsets: number[] = [];
  wishes.forEach(({ width }, position) => {
    const before = wishes[position - 1];
    offsets.push(before ? (offsets[position - 1] ?? 0) + (before.width + width) / 2 + gap : 0);
  });
  const pools: { mean: number; weight: number; count: number }[] = [];
  wishes.forEach(({ wish, weight }, position) => {
    let pool = { mean: wish - (offsets[position] ?? 0), weight, count: 1 };
    for (let last = pools.at(-1); last && last.mean > pool.mean; last = pools.at(-1)) {
      pools.pop();
      const sum = last.weight + pool.weight;
      pool = {
        mean: (last.mean * last.weight + pool.mean * pool.weight) / sum,
        weight: sum,
        count: last.count + pool.count,
      };
    }
    pools.push(pool);
  });
  return pools
    .flatMap(({ mean, count }) => Array.from({ length: count }, () => mean))
    .map((base, position) => base + (offsets[position] ?? 0));
}
