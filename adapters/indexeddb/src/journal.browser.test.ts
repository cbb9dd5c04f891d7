import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { describe, expect, it, vi } from "vitest";
import { contents, fresh, opened } from "../test/fresh.ts";

async function journalOf(runs: readonly (readonly [run: number, records: number])[]) {
  const options = fresh();
  const storage = opened(options);
  let revision = 0;
  for (const [run, records] of runs) {
    for (let n = 0; n < records; n++) await storage.commit([commitOf("a", revision++, { run })]);
  }
  return { options, storage };
}
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe("load", () => {
  it.each([
    ["one run", [[1, 600]], 1, 600],
    [
      "a short run after a long one",
      [
        [1, 600],
        [2, 3],
      ],
      601,
      603,
    ],
    [
      "a long run after many",
      [
        [1, 300],
        [2, 300],
        [3, 520],
      ],
      601,
      1120,
    ],
    [
      "a run that ends with a batch",
      [
        [1, 44],
        [2, 512],
      ],
      45,
      556,
    ],
  ] as const)("answers the latest run of a long journal: %s", async (_name, runs, from, to) => {
    const { storage } = await journalOf(runs);
    expect((await storage.load("a"))?.map(({ revision }) => revision)).toEqual(range(from, to));
    expect((await storage.load("a", to - 270))?.map(({ revision }) => revision)).toEqual(
      range(Math.max(from, to - 269), to),
    );
    expect(await storage.load("a", to)).toEqual([]);
  });

  it("is one request for a short journal", async () => {
    const { storage } = await journalOf([[1, 20]]);
    const requests = vi.spyOn(IDBObjectStore.prototype, "getAll");
    await storage.load("a");
    expect(requests).toHaveBeenCalledTimes(1);
    requests.mockRestore();
  });
});

describe("remove", () => {
  it("goes in steps, and keeps the row by which the rest is found until the last one", async () => {
    const { options, storage } = await journalOf([[1, 1_100]]);
    await storage.commit([commitOf("a", 1_100, { header: headerOf("a", { revision: 1_101, status: "deleted" }) })]);
    await storage.commit([commitOf("b", 0)]);
    expect(await storage.remove("a", 1_101)).toEqual({ more: true });
    expect((await contents(options, "headers")).size).toBe(1);
    expect(await storage.remove("a", 1_101)).toEqual({ more: false });
    expect((await contents(options, "headers")).size).toBe(0);
    expect([...(await contents(options, "journal")).keys()]).toEqual(['["b",1]']);
  });

  it("leaves the instances whose ids begin alike", async () => {
    const storage = opened(fresh());
    await storage.commit(["a", "a2", "a/1", ""].map((id) => commitOf(id, 0, { header: headerOf(id) })));
    await storage.remove("a", 1);
    expect(await Promise.all(["a", "a2", "a/1", ""].map(async (id) => (await storage.load(id))?.length))).toEqual([
      undefined,
      1,
      1,
      1,
    ]);
    expect((await storage.query({})).items.length).toBe(3);
  });
});

it("reads payloads that follow one another together, in the order asked for, long ones and none among them", async () => {
  const storage = opened(fresh());
  const long = { "result:s": JSON.stringify("x".repeat(5_000)) };
  const given = [{ input: "1" }, undefined, long, { input: "4" }, { input: "5" }, undefined, { input: "7" }];
  for (const [revision, payloads] of given.entries()) {
    await storage.commit([commitOf("a", revision, payloads ? { payloads } : {})]);
  }
  const reads = vi.spyOn(IDBObjectStore.prototype, "getAll");
  const asked = [7, 1, 2, 3, 4, 7, 9];
  expect(await storage.payloads("a", asked)).toEqual(asked.map((revision) => given[revision - 1] ?? {}));
  expect(reads).toHaveBeenCalledTimes(3);
  reads.mockRestore();
  expect(await storage.payloads("a", [])).toEqual([]);
  expect(await storage.payloads("other", [1])).toEqual([{}]);
});
