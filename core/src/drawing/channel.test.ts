import { expect, it } from "vitest";
import { routeChannel } from "./channel.ts";

it("leads straight down where it can, without a row", () => {
  expect(routeChannel([{ top: 4, bottoms: [4] }])).toMatchObject({ rows: 0, horizontals: [], joints: [] });
});

it("puts the line that begins in a column above the line that ends there", () => {
  const ends = { top: 8, bottoms: [4] };
  const begins = { top: 4, bottoms: [0] };
  const { horizontals } = routeChannel([ends, begins]);
  expect(horizontals).toEqual([
    { row: 0, from: 0, to: 4 },
    { row: 2, from: 4, to: 8 },
  ]);
});

it("takes a detour where two lines would change places", () => {
  const channel = routeChannel([
    { top: 4, bottoms: [8] },
    { top: 8, bottoms: [4] },
  ]);
  expect(channel.horizontals).toHaveLength(3);
  // No two lines cover the same place of a column.
  const covered = channel.verticals.flatMap(({ column, from, to }) =>
    Array.from({ length: Math.max(0, to - from + 1) }, (_, row) => `${column} ${from + row}`),
  );
  expect(new Set(covered).size).toBe(covered.length);
});

it("lets lines share a row where a blank is between them", () => {
  const apart = [
    { top: 0, bottoms: [4] },
    { top: 6, bottoms: [10] },
  ];
  expect(routeChannel(apart).rows).toBe(1);
  const touching = [
    { top: 0, bottoms: [6] },
    { top: 8, bottoms: [4] },
  ];
  expect(routeChannel(touching).rows).toBe(2);
});
