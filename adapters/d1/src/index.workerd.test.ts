import { env } from "cloudflare:workers";
import { headerOf } from "@hephaestus/core/testing/conformance";
import { beforeAll, expect, it } from "vitest";
import { type D1, d1Index, migrate } from "./index.ts";

beforeAll(() => migrate(env.DB));

it("a put writes 3 rows at first, with a key 4, and 2 later; a declared index costs one more, a tag or a parent one once", async () => {
  let written = 0;
  const database: D1 = {
    prepare: (sql) => env.DB.prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]) {
      const answers = await env.DB.batch<T>(statements);
      written += answers.reduce((sum, answer) => sum + answer.meta.rows_written, 0);
      return answers;
    },
  };
  const index = d1Index(database, { namespace: "cost" });
  const cost = async (...headers: Parameters<typeof index.put>[0]) => {
    written = 0;
    await index.put(headers);
    return written;
  };
  const input = '{"orderId":123}';
  expect(await cost(headerOf("a", { input }))).toBe(3);
  expect(await cost(headerOf("a", { input }))).toBe(0);
  expect(await cost(headerOf("a", { revision: 2, status: "waiting", input, results: { ship: "1" } }))).toBe(2);
  expect(await cost(headerOf("a", { revision: 3, status: "waiting", wakeAt: 5 }))).toBe(2);
  expect(await cost(headerOf("a", { revision: 4, status: "completed" }))).toBe(2);
  expect(await cost(headerOf("a", { revision: 3, status: "failed" }))).toBe(0);
  expect(await cost(headerOf("k", { key: "k" }))).toBe(4);
  expect(await cost(headerOf("k", { key: "k", revision: 2, status: "waiting" }))).toBe(2);
  expect(await cost(headerOf("p", { parent: "a" }))).toBe(4);
  expect(await cost(headerOf("t", { tags: ["x", "y"] }))).toBe(5);
  expect(await cost(headerOf("t", { revision: 2, tags: ["x", "y"] }))).toBe(2);
  expect(await cost(headerOf("w", { wakeAt: 5 }))).toBe(3);
  expect(await cost(...Array.from({ length: 50 }, (_, n) => headerOf(`many${n}`)))).toBe(150);
  await migrate(env.DB, { indexes: ["input.declared"] });
  expect(await cost(headerOf("d1", { input }))).toBe(3);
  expect(await cost(headerOf("d2", { input: '{"declared":1}' }))).toBe(4);
  expect(await cost(headerOf("d2", { revision: 2, status: "waiting" }))).toBe(3);
});

it("an older revision never overwrites a newer one, and queries are those of a storage", async () => {
  const index = d1Index(env.DB, { namespace: "order" });
  const newer = headerOf("a", { revision: 5, status: "waiting", tags: ["x"], key: "k" });
  expect(await index.put([{ ...newer, input: '{"orderId":123}' }])).toEqual([{ id: "a", run: 1 }]);
  expect(await index.put([headerOf("a", { revision: 4 }), headerOf("a", { revision: 5 })])).toEqual([]);
  const filter = { status: "waiting", tag: "x", key: "k", where: { "input.orderId": { in: [1, 123] } } } as const;
  expect((await index.query(filter)).items).toEqual([{ ...newer, input: { orderId: 123 } }]);
  await index.drop("a", 1);
  expect((await index.query({})).items).toEqual([]);
  expect(await index.put([newer])).toHaveLength(1);
});
