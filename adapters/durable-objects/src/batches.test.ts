import { expect, it } from "vitest";
import { inBatches } from "./batches.ts";

it("fills batches in order, by count and by size, and loses nothing", () => {
  const limits = { count: 3, size: 10, sizeOf: (item: number) => item };
  expect(inBatches([], limits)).toEqual([]);
  expect(inBatches([1, 2, 3, 4, 5], limits)).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(inBatches([5, 5, 1, 20, 9, 1, 1], limits)).toEqual([[5, 5], [1], [20], [9, 1], [1]]);
});
