import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";

it("runs on Node 24 with node:sqlite", () => {
  expect(process.version).toMatch(/^v24\./);
  const database = new DatabaseSync(":memory:");
  expect(database.prepare("SELECT 1 + 1 AS two").get()).toEqual({ two: 2 });
});
