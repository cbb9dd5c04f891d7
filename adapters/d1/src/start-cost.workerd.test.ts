import { env } from "cloudflare:workers";
import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { beforeAll, expect, it } from "vitest";
import { type D1, d1Storage, migrate } from "./index.ts";

beforeAll(() => migrate(env.DB));

/** Adds up the rows that the database looks at. */
function reading(add: (rows: number) => void): D1 {
  return {
    prepare: (sql) => env.DB.prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]) {
      const answers = await env.DB.batch<T>(statements);
      for (const { meta } of answers) add(meta.rows_read);
      return answers;
    },
  };
}

it("LESSONS 14: a start reads as many rows among hundreds of instances as among a few", async () => {
  let rows = 0;
  const storage = d1Storage(reading((read) => (rows += read)));
  const start = (id: string) => commitOf(id, 0, { header: headerOf(id, { wakeAt: 1, tags: ["x"] }) });
  const costOf = async (id: string) => {
    rows = 0;
    await storage.load(id);
    await storage.commit([start(id)]);
    return rows;
  };
  await storage.commit(Array.from({ length: 3 }, (_, n) => start(`few${n}`)));
  const among = await costOf("early");
  await storage.commit(Array.from({ length: 500 }, (_, n) => start(`many${n}`)));
  expect(among).toBeGreaterThan(0);
  expect(await costOf("late")).toBe(among);
});
