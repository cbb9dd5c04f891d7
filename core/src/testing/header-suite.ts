import { expect, it } from "vitest";
import { HephaestusError } from "../definition/errors.ts";
import type { Header, Storage } from "../runtime/storage.ts";
import { commitOf, headerOf, type StorageLane } from "./storage-fixtures.ts";

const definitions = [{ workflow: "flow", version: 1, fingerprint: "f1" }];

type SetUp = () => Promise<{ storage: Storage; lane: StorageLane; id: (text: string) => string }>;

/** What a storage with header rows must do beside keeping journals: the second half of `storageConformance`. */
export function headerConformance(setUp: SetUp): void {
  async function withHeaders(skip: (note?: string) => void) {
    const all = await setUp();
    if (!all.storage.capabilities.headers) skip("this storage keeps no header rows");
    const put = (header: Header) =>
      all.storage.commit([commitOf(header.id, header.revision - 1, { run: header.run, header })]);
    return { ...all, put };
  }

  it("finds what is due, soonest first, only with code that the runner has", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    await put(headerOf(id("late"), { wakeAt: 300 }));
    await put(headerOf(id("soon"), { wakeAt: 100, owner: "r1" }));
    await put(headerOf(id("never")));
    await put(headerOf(id("later"), { wakeAt: 301 }));
    await put(headerOf(id("other"), { wakeAt: 100, fingerprint: "f2" }));
    const mine = async (before: number, limit = 50) =>
      (await storage.due({ before, limit, definitions })).filter((row) => row.id.startsWith(id("")));
    expect(await mine(300)).toEqual([
      { id: id("soon"), run: 1, wakeAt: 100, owner: "r1" },
      { id: id("late"), run: 1, wakeAt: 300 },
    ]);
    expect(await storage.due({ before: 300, limit: 50, definitions: [] })).toEqual([]);
    await storage.commit([
      commitOf(id("soon"), 1, { header: headerOf(id("soon"), { revision: 2, status: "waiting" }) }),
    ]);
    expect((await mine(300)).map((row) => row.id)).toEqual([id("late")]);
  });

  it("replaces the row of a run and keeps the input and results it has", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    await put(headerOf(id("a"), { input: '{"n":1}', results: { charge: '{"amount":5}' }, metadata: { team: "x" } }));
    await put(
      headerOf(id("a"), {
        revision: 2,
        status: "completed",
        endedAt: 2_000,
        results: { ship: "7" },
        metadata: { team: "x" },
      }),
    );
    const { items } = await storage.query({ id: id("a") });
    expect(items).toEqual([
      {
        ...headerOf(id("a"), { revision: 2, status: "completed", endedAt: 2_000, metadata: { team: "x" } }),
        input: { n: 1 },
      },
    ]);
    if (storage.capabilities.where) {
      const where = { "results.charge.amount": 5, "input.n": { gte: 1 } };
      expect((await storage.query({ id: id("a"), where })).items.length).toBe(1);
    }
  });

  it("keeps every field of a row as it was", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    const header = headerOf(id("a"), {
      key: "K-1",
      parent: id("parent"),
      tags: ["a", "b'c"],
      metadata: { team: "x", nested: { list: [1, null, true] } },
      current: ["wait_review", "charge"],
      error: { name: "Error", message: "no", code: "X" },
      status: "failed",
      endedAt: 1_005,
    });
    await put(header);
    expect((await storage.query({ id: id("a") })).items).toEqual([header]);
  });

  it("filters by each field", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    const workflow = id("wf");
    await put(headerOf(id("1"), { workflow, key: "k1", status: "running", tags: ["x"], createdAt: 1, updatedAt: 10 }));
    await put(
      headerOf(id("2"), {
        workflow,
        version: 2,
        status: "waiting",
        tags: ["x", "y"],
        parent: id("1"),
        createdAt: 2,
        updatedAt: 20,
      }),
    );
    await put(headerOf(id("3"), { workflow, status: "completed", createdAt: 3, updatedAt: 30 }));
    await put(headerOf(id("4"), { workflow: `${workflow}b`, status: "completed", createdAt: 4 }));
    const find = async (filter: Parameters<Storage["query"]>[0]) =>
      (await storage.query({ workflow, order: "oldest", ...filter })).items.map((item) => item.id.slice(id("").length));
    expect(await find({})).toEqual(["1", "2", "3"]);
    expect(await find({ order: "newest" })).toEqual(["3", "2", "1"]);
    expect(await find({ id: id("2") })).toEqual(["2"]);
    expect(await find({ key: "k1" })).toEqual(["1"]);
    expect(await find({ status: "waiting" })).toEqual(["2"]);
    expect(await find({ status: ["running", "completed"] })).toEqual(["1", "3"]);
    expect(await find({ status: [] })).toEqual([]);
    expect(await find({ version: 2 })).toEqual(["2"]);
    expect(await find({ parent: id("1") })).toEqual(["2"]);
    expect(await find({ tag: "x" })).toEqual(["1", "2"]);
    expect(await find({ tag: "nope" })).toEqual([]);
    expect(await find({ createdAfter: 1, createdBefore: 3 })).toEqual(["2"]);
    expect(await find({ updatedAfter: 10, updatedBefore: 31 })).toEqual(["2", "3"]);
  });

  it("pages by creation and id without skipping or repeating while rows change", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    const workflow = id("wf");
    for (const n of [3, 1, 2, 5, 4]) {
      await put(headerOf(id(`r${n}`), { workflow, createdAt: n < 3 ? 100 : n * 100 }));
    }
    for (const order of ["oldest", "newest"] as const) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await storage.query({ workflow, order, limit: 2, ...(cursor ? { cursor } : {}) });
        expect(page.items.length).toBeLessThanOrEqual(2);
        seen.push(...page.items.map((item) => item.id.slice(-2)));
        cursor = page.next;
        if (order === "oldest" && seen.length === 2) {
          await storage.commit([
            commitOf(id("r1"), 1, {
              header: headerOf(id("r1"), { workflow, revision: 2, createdAt: 100, updatedAt: 9_999 }),
            }),
          ]);
        }
      } while (cursor);
      const expected = ["r1", "r2", "r3", "r4", "r5"];
      expect(seen).toEqual(order === "oldest" ? expected : expected.reverse());
    }
  });

  it("looks into input, results and metadata by path", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    if (!storage.capabilities.where) skip("this storage does not answer `where`");
    const workflow = id("wf");
    await put(
      headerOf(id("1"), {
        workflow,
        createdAt: 1,
        input: '{"orderId":123,"name":"Ann","vip":true,"note":null}',
        metadata: { team: "a" },
      }),
    );
    await put(
      headerOf(id("2"), {
        workflow,
        createdAt: 2,
        input: '{"orderId":124,"name":"Bob\'s","deep":{"a":{"b":"x"}}}',
        results: { charge: '{"amount":100}' },
      }),
    );
    const find = async (where: NonNullable<Parameters<Storage["query"]>[0]["where"]>) =>
      (await storage.query({ workflow, order: "oldest", where })).items.map((item) => item.id.slice(-1));
    expect(await find({ "input.orderId": 123 })).toEqual(["1"]);
    expect(await find({ "input.orderId": "123" })).toEqual([]);
    expect(await find({ "input.orderId": { in: [124, 125] } })).toEqual(["2"]);
    expect(await find({ "input.orderId": { gt: 123, lte: 124 } })).toEqual(["2"]);
    expect(await find({ "input.vip": true })).toEqual(["1"]);
    expect(await find({ "input.vip": 1 })).toEqual([]);
    expect(await find({ "input.note": null })).toEqual(["1"]);
    expect(await find({ "input.name": { contains: "ob'" } })).toEqual(["2"]);
    expect(await find({ "input.deep.a.b": { exists: true } })).toEqual(["2"]);
    expect(await find({ "input.deep": { exists: false } })).toEqual(["1"]);
    expect(await find({ "metadata.team": "a" })).toEqual(["1"]);
    expect(await find({ "results.charge.amount": { gte: 100 }, "input.orderId": 124 })).toEqual(["2"]);
  });

  it("refuses a bad filter with the field", async ({ skip }) => {
    const { storage } = await withHeaders(skip);
    const refused: [object, string][] = [
      [{ status: "nope" }, "status"],
      [{ limit: 0 }, "limit"],
      [{ limit: 1e9 }, "limit"],
      [{ cursor: "zzz" }, "cursor"],
      [{ workflow: 3 }, "workflow"],
      [{ version: 2 }, "version"],
      [{ oops: 1 }, "oops"],
      [{ where: { "input.a'b": 1 } }, "where.input.a'b"],
      [{ where: { "secret.a": 1 } }, "where.secret.a"],
      [{ where: { "input.a": { like: "x" } } }, "where.input.a"],
    ];
    for (const [filter, field] of refused) {
      const error: unknown = await storage.query(filter).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(HephaestusError);
      expect((error as HephaestusError).code).toBe("OPTION_INVALID");
      expect((error as HephaestusError).details.field).toBe(field);
    }
  });

  it("keeps the rows of earlier runs until they are removed", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    await put(headerOf(id("a"), { status: "completed" }));
    await put(headerOf(id("a"), { run: 2, revision: 2, createdAt: 2_000 }));
    const rows = async () => (await storage.query({ id: id("a") })).items.map(({ run, status }) => [run, status]);
    expect(await rows()).toEqual([
      [2, "running"],
      [1, "completed"],
    ]);
    while ((await storage.remove(id("a"), 1)).more);
    expect(await rows()).toEqual([[2, "running"]]);
  });

  it("tombstones stand in no answer but are due for their own removal", async ({ skip }) => {
    const { storage, id, put } = await withHeaders(skip);
    await put(headerOf(id("a"), { status: "deleted", wakeAt: 50 }));
    expect((await storage.query({ id: id("a") })).items).toEqual([]);
    expect((await storage.due({ before: 60, limit: 100, definitions })).map((row) => row.id)).toContain(id("a"));
  });
}
