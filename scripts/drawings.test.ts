import { expect, it } from "vitest";
import { drawAll } from "./drawings.ts";

it("the drawings of the example workflow are up to date (if not: `npm run drawings`)", async () => {
  let said = "";
  const isWell = await drawAll(["--check"], (text) => {
    said += text;
  });
  expect(said).toMatch(/^(unchanged {2}\S+\n){3}$/);
  expect(isWell).toBe(true);
});
