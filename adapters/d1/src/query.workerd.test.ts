import { env } from "cloudflare:workers";
import { checkFilter, type InstanceFilter, matchesFilter, type Scalar } from "@hephaestus/core";
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
