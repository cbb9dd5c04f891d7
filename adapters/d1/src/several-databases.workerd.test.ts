import { env } from "cloudflare:workers";
import { commitOf, headerOf, storageConformance } from "@hephaestus/core/testing/conformance";
import { beforeAll, expect, it } from "vitest";
import { d1Index, d1Storage, migrate } from "./index.ts";
import { severalIndexes } from "./several-databases.ts";

const all = [env.DB, env.DB2, env.DB3];
beforeAll(() => migrate(all));

let lanes = 0;
storageConformance("d1, three databases", async () => {
  const open = async () => d1Storage(all);
  return { open, reopen: open, prefix: `several${++lanes}-` };
});

const countIn = (database: D1Database, namespace: string) =>
  database.prepare("SELECT count(*) AS n FROM hephaestus_instances WHERE ns = ?").bind(namespace).first<number>("n");

it("instances are spread over the databases by their id, and stay where they are", async () => {
  const namespace = "spread";
  const storage = d1Storage(all, { namespace });
  const ids = Array.from({ length: 300 }, (_, n) => `order_flow/orderid::${n}`);
  await storage.commit(ids.map((id) => commitOf(id, 0, { header: headerOf(id) })));
  const counts = await Promise.all(all.map((database) => countIn(database, namespace)));
  for (const count of counts) expect(count).toBeGreaterThan(70);
  const answers = await storage.commit(ids.map((id, n) => commitOf(id, n % 2)));
  expect(answers).toEqual(ids.map((_, n) => (n % 2 ? "ok" : "conflict")));
  // Where an instance is never changes: these were placed by an earlier version.
  const place = async (id: string) => {
    const loaded = await Promise.all(all.map((one) => d1Storage(one, { namespace }).load(id)));
    return loaded.findIndex((records) => records !== undefined);
  };
  expect(await Promise.all(ids.slice(0, 12).map(place))).toEqual([0, 1, 1, 0, 1, 0, 2, 1, 0, 2, 0, 2]);
});

it("a list is one list: in order, in pages that neither skip nor repeat, whatever the ids", async () => {
  const index = d1Index(all, { namespace: "merged" });
  const names = ["a", "b", "é", "\ue000", "\uffff", "😀", "\0", "\ud83d"];
  const headers = Array.from({ length: 64 }, (_, n) =>
    headerOf(`${names[n % 8]}${n >> 3}`, { createdAt: n % 3, status: n % 5 ? "waiting" : "failed", tags: ["t"] }),
  );
  expect(await index.put(headers)).toHaveLength(64);
  for (const order of ["oldest", "newest"] as const) {
    for (const filter of [{}, { status: ["failed", "waiting"] as const }, { tag: "t" }]) {
      const seen: string[] = [];
      const times: number[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await index.query({ ...filter, order, limit: 7, ...(cursor ? { cursor } : {}) });
        seen.push(...page.items.map((item) => item.id));
        times.push(...page.items.map((item) => item.createdAt));
        cursor = page.next;
        if (cursor === undefined) break;
        expect(page.items).toHaveLength(7);
      }
      expect(seen.length).toBe(64);
      expect(new Set(seen).size).toBe(64);
      expect(times).toEqual(times.toSorted((one, other) => (order === "oldest" ? one - other : other - one)));
    }
  }
  expect((await index.query({ limit: 64 })).next).toBeUndefined();
  expect((await index.query({ id: "a0" })).items).toHaveLength(1);
  await index.drop("a0", 1);
  expect((await index.query({ id: "a0" })).items).toEqual([]);
});

it("what is overdue comes from each of them, in shares; one that does not answer does not hold up the others", async () => {
  const [one, other] = [d1Index(env.DB, { namespace: "overdue" }), d1Index(env.DB2, { namespace: "overdue" })];
  const late = (prefix: string) => Array.from({ length: 9 }, (_, n) => headerOf(`${prefix}${n}`, { wakeAt: 1 }));
  await one.put(late("one"));
  await other.put(late("other"));
  const silent: typeof one = { ...other, overdue: () => Promise.reject(new Error("down")) };
  const request = { before: 2, limit: 4 };
  const found = await severalIndexes([one, other]).overdue(request);
  expect(found.map(({ id }) => id.replace(/\d/, "")).sort()).toEqual(["one", "one", "other", "other"]);
  expect(await severalIndexes([one, silent]).overdue(request)).toHaveLength(2);
  await expect(severalIndexes([silent, silent]).overdue(request)).rejects.toThrow("down");
});

it("what is due comes soonest first from all of them", async () => {
  const storage = d1Storage(all, { namespace: "due" });
  const ids = Array.from({ length: 30 }, (_, n) => `i${n}`);
  await storage.commit(ids.map((id, n) => commitOf(id, 0, { header: headerOf(id, { wakeAt: 100 - n }) })));
  const definitions = [{ workflow: "flow", version: 1, fingerprint: "f1" }];
  const rows = await storage.due({ before: 95, limit: 10, definitions });
  expect(rows.map((row) => row.wakeAt)).toEqual([71, 72, 73, 74, 75, 76, 77, 78, 79, 80]);
});

it("none is refused, and one whose binding is missing", () => {
  for (const databases of [[], undefined, [env.DB, undefined]]) {
    expect(() => d1Index(databases as D1Database[])).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", details: { field: "databases" } }),
    );
  }
});
