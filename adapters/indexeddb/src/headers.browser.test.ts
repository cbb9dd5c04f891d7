import type { Header, Storage } from "@hephaestus/core";
import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";

async function holding(headers: readonly Header[]): Promise<Storage> {
  const storage = opened(fresh());
  await storage.commit(headers.map((header) => commitOf(header.id, 0, { header })));
  return storage;
}

describe("query", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("finds rare rows among many, over several transactions, in both orders", async () => {
    const many = Array.from({ length: 2_500 }, (_, n) =>
      headerOf(`i${n}`, { createdAt: n >> 2, tags: n % 500 === 7 ? ["rare"] : [] }),
    );
    const storage = await holding(many);
    for (const order of ["oldest", "newest"] as const) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await storage.query({ tag: "rare", order, limit: 2, ...(cursor ? { cursor } : {}) });
        found.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      } while (cursor);
      const expected = ["i7", "i507", "i1007", "i1507", "i2007"];
      expect(found).toEqual(order === "oldest" ? expected : expected.reverse());
    }
  });

  it("reads a page, not the store", async () => {
    const storage = await holding(Array.from({ length: 300 }, (_, n) => headerOf(`i${n}`, { createdAt: n })));
    // idb knows the cursor's own methods by identity, so the rows are counted, not the steps.
    const rows = vi.spyOn(IDBCursorWithValue.prototype, "value", "get");
    const page = await storage.query({ limit: 10, createdBefore: 200 });
    expect(page.items[0]?.createdAt).toBe(199);
    expect(rows.mock.calls.length).toBeLessThanOrEqual(11);
  });

  it("answers an empty page for bounds that exclude each other", async () => {
    const storage = await holding([headerOf("a", { createdAt: 10 })]);
    expect(await storage.query({ createdAfter: 20, createdBefore: 5 })).toEqual({ items: [] });
    const { next } = await (await holding([headerOf("a"), headerOf("b")])).query({ limit: 1, order: "oldest" });
    expect(await storage.query({ order: "oldest", createdBefore: 5, cursor: next ?? "" })).toEqual({ items: [] });
  });

  it("pages through the runs of one id", async () => {
    const storage = opened(fresh());
    for (const run of [1, 2, 3]) {
      const header = headerOf("a", { run, revision: run, createdAt: run });
      await storage.commit([commitOf("a", run - 1, { run, header })]);
    }
    const first = await storage.query({ id: "a", limit: 2 });
    expect(first.items.map(({ run }) => run)).toEqual([3, 2]);
    const second = await storage.query({ id: "a", limit: 2, cursor: first.next ?? "" });
    expect(second.items.map(({ run }) => run)).toEqual([1]);
    expect(second.next).toBeUndefined();
  });
});

describe("due", () => {
  const definition = { workflow: "flow", version: 1, fingerprint: "f1" };

  it("merges definitions by time, and names each row once", async () => {
    const storage = await holding([
      headerOf("a", { wakeAt: 3 }),
      headerOf("b", { wakeAt: 2, version: 2 }),
      headerOf("c", { wakeAt: 1 }),
      headerOf("d", { wakeAt: 0, workflow: "other" }),
    ]);
    const definitions = [definition, { ...definition, version: 2 }, { ...definition }];
    const ids = async (limit: number) => (await storage.due({ before: 9, limit, definitions })).map(({ id }) => id);
    expect(await ids(10)).toEqual(["c", "b", "a"]);
    expect(await ids(2)).toEqual(["c", "b"]);
  });
});
