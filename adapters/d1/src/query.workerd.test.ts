import { env } from "cloudflare:workers";
import { checkFilter, type InstanceFilter, LISTED_STATUSES, matchesFilter, type Scalar } from "@hephaestus/core";
import { headerOf } from "@hephaestus/core/testing/conformance";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { d1Index, migrate } from "./index.ts";

// The whole of the query language is tested in @hephaestus/sqlite; here, whether D1's SQLite compares alike.
beforeAll(() => migrate(env.DB));

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom("a", "'", '"', "%", "_", "\0", "é", "\ud83d", "\ude00", "😀", "\ue000", "\uffff"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 3,
});
const number = fc.oneof(
  fc.constantFrom(0, 1, 0.1, 1e21, 2 ** 53, 2 ** 53 + 2, 2 ** 63, -(2 ** 63), 5e-324, Number.MAX_VALUE),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const scalar: fc.Arbitrary<Scalar> = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const operators = ["eq", "in", "gt", "gte", "lt", "lte", "contains"] as const;

it("answers `where` as core's matchesFilter does", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(scalar, { minLength: 1, maxLength: 6 }), scalar, async (stored, other) => {
      const index = d1Index(env.DB, { namespace: `run${++run}` });
      const rows = stored.map((value, n) => headerOf(`i${n}`, { input: JSON.stringify({ v: value }) }));
      await index.put(rows);
      for (const given of [stored[0] as Scalar, other]) {
        for (const operator of operators) {
          const ordered = typeof given === "string" || typeof given === "number";
          if (!ordered && operator !== "eq" && operator !== "in") continue;
          const operand = operator === "in" ? [given] : operator === "contains" ? String(given) : given;
          const where = { "input.v": operator === "eq" ? given : { [operator]: operand } };
          const filter = { where, order: "oldest" } as InstanceFilter;
          const expected = rows.filter((row) => matchesFilter(row, checkFilter(filter))).map((row) => row.id);
          const { items } = await index.query(filter);
          expect(
            items.map((item) => item.id),
            JSON.stringify({ stored, where }),
          ).toEqual(expected);
        }
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);

it("stays within D1's limits: parameters, terms of a union, depth, length", async () => {
  const indexes = ["input.field7"];
  await migrate(env.DB, { indexes });
  const index = d1Index(env.DB, { namespace: "limits", indexes });
  const fields = Array.from({ length: 150 }, (_, n) => `field${n}`);
  const input = JSON.stringify(Object.fromEntries(fields.map((name, n) => [name, n])));
  await index.put([headerOf("a", { input, tags: ["x"], key: "k", parent: "p" })]);
  const conditions = Object.fromEntries(fields.map((name, n) => [`input.${name}`, { gte: n, lte: n, exists: true }]));
  const status = LISTED_STATUSES;
  const cursor = "1.5000.1.a";
  const filters: InstanceFilter[] = [
    { where: conditions },
    { where: conditions, workflow: "flow", version: 1, status, cursor, createdAfter: 1, updatedBefore: 9_000 },
    { where: conditions, tag: "x", key: "k", parent: "p", id: "a" },
    { where: { "input.field7": { in: Array.from({ length: 3_000 }, (_, n) => n) } }, workflow: "flow", status },
    { where: { [`input.${Array(15).fill("a".repeat(64)).join(".")}`]: { exists: false } }, status, cursor },
    { where: { "input.field7": { exists: true } }, tag: "x", cursor },
    { key: "k".repeat(100_000) },
  ];
  const found = await Promise.all(filters.map(async (filter) => (await index.query(filter)).items.length));
  expect(found).toEqual([1, 1, 1, 1, 1, 1, 0]);
});

it("takes values with any character, in every field that holds text", async () => {
  for (const [n, value] of [
    "'; DROP TABLE hephaestus_instances; --",
    "\0",
    "\ud800",
    "%_\\",
    "😀\ue000",
    "?1",
  ].entries()) {
    const index = d1Index(env.DB, { namespace: `hostile${n}` });
    const header = headerOf(value, { key: value, parent: value, workflow: value, tags: [value], metadata: { value } });
    await index.put([header, headerOf("other", { key: "other", tags: ["other"] })]);
    const filters: InstanceFilter[] = [
      { id: value },
      { key: value },
      { parent: value },
      { workflow: value },
      { tag: value },
      { where: { "metadata.value": value } },
      { where: { "metadata.value": { in: [value] } } },
      { where: { "metadata.value": { contains: value } } },
      { where: { "metadata.value": { gte: value, lte: value } } },
    ];
    for (const filter of filters) {
      const { items } = await index.query(filter);
      expect(
        items.map((item) => item.id),
        JSON.stringify(filter),
      ).toEqual([value]);
    }
  }
});
