import { DatabaseSync } from "node:sqlite";
import {
  checkFilter,
  type Header,
  type InstanceFilter,
  matchesFilter,
  type RunStatus,
  type Scalar,
  type WhereCondition,
} from "@hephaestus/core";
import { headerOf } from "@hephaestus/core/testing/conformance";
import fc from "fast-check";
import { expect, it } from "vitest";
import { instanceIndex } from "./instance-index.ts";
import { migrate } from "./migrations.ts";
import { nodePort } from "./node.ts";
import { queryInstances } from "./query.ts";

async function emptyDatabase(indexes: readonly string[] = []) {
  const port = nodePort(new DatabaseSync(":memory:"));
  await migrate(port, { indexes });
  return port;
}

const unit = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "'",
    '"',
    "%",
    "_",
    "\\",
    "\0",
    "\u001a",
    "é",
    "\u2028",
    "\ud83d",
    "\ude00",
    "😀",
    "\ue000",
    "\uffff",
    "1",
  ),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
);
const text = fc.string({ unit, maxLength: 4 });
const number = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    2,
    123,
    0.1,
    0.30000000000000004,
    1e21,
    2 ** 53,
    2 ** 53 + 2,
    2 ** 63,
    -(2 ** 63),
    5e-324,
    1.7976931348623157e308,
  ),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
/** Few different ones, so that conditions meet values, and some of every kind. */
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "ab", "1", 0, 1, 2, true, false, null) },
  { weight: 1, arbitrary: text },
  { weight: 1, arbitrary: number },
);
const segment = fc.oneof(
  { weight: 3, arbitrary: fc.constant("a") },
  { weight: 1, arbitrary: fc.constantFrom("0", "1", "length", "a-b", "toString") },
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(segment, tie("value"), { maxKeys: 4 }),
  ),
}));
const document = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(segment, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true }) },
  { weight: 1, arbitrary: value },
);
const json = document.map((one) => JSON.stringify(one));

const bound = fc.oneof(text, number, fc.constantFrom("a", "1", 1, -1));

const condition: fc.Arbitrary<WhereCondition> = fc.oneof(
  scalar,
  fc
    .record(
      {
        in: fc.array(scalar, { maxLength: 6 }),
        exists: fc.boolean(),
        contains: text,
        gt: bound,
        gte: bound,
        lt: bound,
        lte: bound,
      },
      { requiredKeys: [] },
    )
    .filter((operators) => [1, 2].includes(Object.keys(operators).length)) as fc.Arbitrary<WhereCondition>,
);
const path = fc
  .tuple(
    fc.constantFrom("input", "metadata", "results.a", "results.b", "results.length"),
    fc.array(segment, { minLength: 1, maxLength: 2 }),
  )
  .map(([root, segments]) => [root, ...segments].join("."));
const resultPath = fc.constantFrom("results.a", "results.b", "results.length");
const where = fc.dictionary(fc.oneof(path, resultPath), condition, { minKeys: 1, maxKeys: 2, noNullPrototype: true });

const statuses: readonly RunStatus[] = ["pending", "running", "waiting", "completed", "failed", "deleted"];
const header: fc.Arbitrary<Header> = fc
  .record({
    id: fc.string({ unit, minLength: 1, maxLength: 3 }),
    run: fc.integer({ min: 1, max: 2 }),
    status: fc.constantFrom(...statuses),
    workflow: fc.constantFrom("flow", "o'flow"),
    version: fc.integer({ min: 1, max: 3 }),
    tags: fc.array(fc.oneof(fc.constantFrom("x", "y"), text), { maxLength: 3 }),
    metadata: fc.dictionary(segment, value, { maxKeys: 3, noNullPrototype: true }),
    createdAt: fc.integer({ min: 0, max: 4 }),
    updatedAt: fc.integer({ min: 0, max: 4 }),
    key: fc.option(fc.constantFrom("k1", "k2"), { nil: undefined }),
    parent: fc.option(fc.constantFrom("p1", "p\0"), { nil: undefined }),
    input: fc.option(json, { nil: undefined }),
    results: fc.option(
      fc.dictionary(fc.constantFrom("a", "b", "length", "x.y"), json, { maxKeys: 3, noNullPrototype: true }),
      { nil: undefined },
    ),
  })
  .map(({ key, parent, input, results, ...rest }) => ({
    ...headerOf(rest.id),
    ...rest,
    ...(key === undefined ? {} : { key }),
    ...(parent === undefined ? {} : { parent }),
    ...(input === undefined ? {} : { input }),
    ...(results === undefined ? {} : { results }),
  })) as fc.Arbitrary<Header>;

const time = fc.integer({ min: 0, max: 4 });
const fields = {
  id: text,
  key: fc.constantFrom("k1", "k2"),
  status: fc.oneof(
    fc.constantFrom("running", "failed"),
    fc.subarray(statuses.filter((status) => status !== "deleted")),
  ),
  workflow: fc.constantFrom("flow", "o'flow"),
  version: fc.integer({ min: 1, max: 3 }),
  parent: fc.constantFrom("p1", "p\0"),
  tag: fc.oneof(fc.constantFrom("x", "y"), text),
  createdAfter: time,
  createdBefore: time,
  updatedAfter: time,
  updatedBefore: time,
  where,
  order: fc.constantFrom("newest", "oldest"),
};
/** Of a few fields each, or nothing would match. */
const filter = fc
  .subarray(Object.keys(fields) as (keyof typeof fields)[], { maxLength: 3 })
  .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, fields[name] as fc.Arbitrary<unknown>]))))
  .map((one) =>
    "version" in one || "where" in one ? { workflow: "flow", ...one } : one,
  ) as fc.Arbitrary<InstanceFilter>;

const byKey = (one: { readonly id: string; readonly run: number }) => `${one.run}|${one.id}`;

it("answers every filter as core's matchesFilter does, page by page", async () => {
  let matched = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(header, { minLength: 1, maxLength: 12, selector: byKey }),
      fc.array(fc.oneof({ weight: 2, arbitrary: fc.record({ where }) }, filter), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom([], ["updated", "input.a", "metadata.a", "results.a.a", "results.length.a"]),
      async (headers, filters, limit, indexes) => {
        const port = await emptyDatabase(indexes);
        await instanceIndex(port).put(headers);
        for (const one of filters as InstanceFilter[]) {
          const expected = headers.filter((row) => matchesFilter(row, checkFilter(one)));
          const found = [];
          let cursor: string | undefined;
          do {
            const page = await queryInstances(
              { port, ns: "", indexes },
              { ...one, limit, ...(cursor ? { cursor } : {}) },
            );
            expect(page.items.length).toBeLessThanOrEqual(limit);
            found.push(...page.items);
            cursor = page.next;
          } while (cursor);
          expect(found.map(byKey).sort(), JSON.stringify(one)).toEqual(expected.map(byKey).sort());
          const times = found.map((row) => row.createdAt);
          expect(times).toEqual(times.toSorted((a, b) => (one.order === "oldest" ? a - b : b - a)));
          matched += found.length;
        }
      },
    ),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 300) },
  );
  expect(matched).toBeGreaterThan(200);
}, 600_000);

it("compares values near those that are stored", async () => {
  await fc.assert(
    fc.asyncProperty(
      scalar,
      scalar,
      fc.constantFrom("gt", "gte", "lt", "lte", "contains", "in", "eq"),
      async (stored, given, operator) => {
        const port = await emptyDatabase();
        const rows = [
          headerOf("a", { input: JSON.stringify({ v: stored }) }),
          headerOf("b", { input: JSON.stringify({ v: given }) }),
        ];
        await instanceIndex(port).put(rows);
        const operand = operator === "contains" ? String(given) : operator === "in" ? [given] : given;
        if (["gt", "gte", "lt", "lte"].includes(operator) && (given === null || typeof given === "boolean")) return;
        const one = { where: { "input.v": operator === "eq" ? given : { [operator]: operand } } } as InstanceFilter;
        const expected = rows.filter((row) => matchesFilter(row, checkFilter(one))).map((row) => row.id);
        const { items } = await queryInstances({ port, ns: "" }, { ...one, order: "oldest" });
        expect(items.map((item) => item.id)).toEqual(expected);
      },
    ),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 400) },
  );
}, 600_000);

it("takes more conditions than a statement has parameters or levels", async () => {
  const port = await emptyDatabase();
  const names = Array.from({ length: 400 }, (_, n) => `field${n}`);
  const input = Object.fromEntries(names.map((name, n) => [name, n]));
  await instanceIndex(port).put([headerOf("a", { input: JSON.stringify(input) })]);
  const conditions = Object.fromEntries(names.map((name, n) => [`input.${name}`, { gte: n, lte: n }]));
  expect((await queryInstances({ port, ns: "" }, { where: conditions })).items).toHaveLength(1);
  const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`input.field${n}`, { exists: true }]));
  await expect(queryInstances({ port, ns: "" }, { where: many })).rejects.toMatchObject({
    code: "OPTION_INVALID",
    details: { field: "where" },
  });
  const statuses = { key: "k", in: Array.from({ length: 5_000 }, (_, n) => n) };
  expect(
    (await queryInstances({ port, ns: "" }, { where: { "input.field7": { in: statuses.in } } })).items,
  ).toHaveLength(1);
});
