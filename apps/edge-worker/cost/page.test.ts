import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PARTS, withParts } from "./page.ts";
import { perMillion, perMonth } from "./prices.ts";
import { ours, theirs } from "./usage.ts";

const page = readFileSync(new URL("../../../docs/reference/cost.md", import.meta.url), "utf8");

it("the page on cost says what the counts and the prices come to (cost/write-page.ts writes it)", () => {
  expect(withParts(page)).toBe(page);
  for (const part of Object.values(PARTS)) expect(page).toContain(part);
});

it("money is counts times prices", () => {
  expect(perMillion({ objectRow: 6, indexRow: 4 })).toBe(10);
  // 2 + 4 rows, a call of the object and its alarm for 10 ms each, a request of 1 ms.
  expect(perMillion(ours("three inline steps"))).toBeCloseTo(2 + 4 + 2 * (0.15 + 0.016) + 0.3 + 0.02, 10);
  // The caller's request and the invocation, four milliseconds of CPU.
  expect(perMillion(theirs("three inline steps"))).toBeCloseTo(2 * 0.3 + 4 * 0.02, 10);
});

it("what the plan includes costs nothing", () => {
  expect(perMonth({ objectRow: 6 }, 1_000_000)).toBe(0);
  expect(perMonth({ objectRow: 6 }, 10_000_000)).toBe(10);
});
