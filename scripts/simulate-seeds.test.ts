import { expect, it } from "vitest";
import { addTally, EMPTY_TALLY, runSeeds } from "./simulate-seeds.ts";

it("tallies seeds that were run in pieces as if they had been run in one go", async () => {
  const whole = await runSeeds({ first: 1, count: 6 });
  const pieces = [await runSeeds({ first: 1, count: 1 }), await runSeeds({ first: 2, count: 5 })];
  expect(pieces.reduce(addTally, EMPTY_TALLY)).toEqual(whole);
  expect(whole.count).toBe(6);
  expect(whole.hash).not.toBe(0);
});
