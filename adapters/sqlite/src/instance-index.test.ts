import { DatabaseSync } from "node:sqlite";
import { headerOf } from "@hephaestus/core/testing/conformance";
import { beforeEach, expect, it } from "vitest";
import { type InstanceIndex, instanceIndex } from "./instance-index.ts";
import { migrate } from "./migrations.ts";
import { nodePort } from "./node.ts";
import type { SqlPort } from "./port.ts";

let port: SqlPort;
let index: InstanceIndex;
beforeEach(async () => {
  port = nodePort(new DatabaseSync(":memory:"));
  await migrate(port);
  index = instanceIndex(port);
});

it("answers what was written, and nothing for the same or an older revision", async () => {
  const newer = headerOf("a", { revision: 5, status: "waiting" });
  expect(await index.put([newer, headerOf("b")])).toEqual([
    { id: "a", run: 1 },
    { id: "b", run: 1 },
  ]);
  expect(await index.put([headerOf("a", { revision: 5, status: "failed" })])).toEqual([]);
  expect(await index.put([headerOf("a", { revision: 4, status: "failed" })])).toEqual([]);
  expect((await index.query({ id: "a" })).items).toEqual([newer]);
  expect(await index.put([headerOf("a", { revision: 6, status: "failed" })])).toHaveLength(1);
  expect((await index.query({ status: "failed" })).items).toHaveLength(1);
  expect(await index.put([])).toEqual([]);
});

it("keeps the input and results that a later header does not repeat", async () => {
  await index.put([headerOf("a", { input: '{"n":1}', results: { charge: '{"amount":5}' } })]);
  await index.put([headerOf("a", { revision: 2, status: "completed", results: { ship: "true" } })]);
  const where = { "input.n": 1, "results.charge.amount": { gt: 4 }, "results.ship": true };
  expect((await index.query({ where })).items).toMatchObject([{ status: "completed", input: { n: 1 } }]);
});

it("finds by the tags that a row has now", async () => {
  await index.put([headerOf("a", { tags: ["x", "y"] })]);
  await index.put([headerOf("a", { revision: 2, tags: ["y", "z"] })]);
  const found = async (tag: string) => (await index.query({ tag })).items.length;
  expect([await found("x"), await found("y"), await found("z")]).toEqual([0, 1, 1]);
});

it("drops the rows of a run and of those before it, with their tags", async () => {
  await index.put([1, 2, 3].map((run) => headerOf("a", { run, tags: ["x"] })));
  await index.drop("a", 2);
  expect((await index.query({ tag: "x" })).items.map((item) => item.run)).toEqual([3]);
  const [rows = []] = await port.batch([{ sql: "SELECT run FROM hephaestus_tags", params: [] }]);
  expect(rows).toMatchObject([{ run: 3 }]);
});

it("takes a thousand rows at once", async () => {
  const headers = Array.from({ length: 1_000 }, (_, n) =>
    headerOf(`i${n}`, { input: JSON.stringify("x".repeat(2_000)) }),
  );
  expect(await index.put(headers)).toHaveLength(1_000);
});
