import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { afterEach, describe, expect, it, vi } from "vitest";
import { contents, fresh, opened } from "../test/fresh.ts";

const long = (letter: string) => ({ "result:s": JSON.stringify(letter.repeat(5_000)) });

describe("a group commit", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("is one transaction for any number of instances", async () => {
    const storage = opened(fresh());
    await storage.commit([commitOf("opens the database, and registers", 0)]);
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    const group = Array.from({ length: 50 }, (_, n) => commitOf(`i${n}`, 0, { payloads: { input: "1" } }));
    expect(new Set(await storage.commit(group))).toEqual(new Set(["ok"]));
    expect(transactions.mock.calls.map(([stores, mode]) => [stores, mode])).toEqual([[["journal"], "readwrite"]]);
  });

  it("is as durable as the storage's option says, and strict when one commit in it asks for that", async () => {
    const [plain, strict] = [opened(fresh()), opened({ ...fresh(), durability: "strict" })];
    await Promise.all([plain.load("open the database first"), strict.load("the same")]);
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    await plain.commit([commitOf("a", 0), commitOf("b", 0)]);
    await plain.commit([commitOf("a", 1), commitOf("b", 1, { durability: "strict" })]);
    await strict.commit([commitOf("a", 0)]);
    const used = transactions.mock.results.map(({ value }) => (value as IDBTransaction).durability);
    expect(used).toEqual(["default", "strict", "strict"]);
  });

  it("lets ten writers take fifty instances, each once, and harms none of those that conflict with nobody", async () => {
    const options = fresh();
    const writers = Array.from({ length: 10 }, () => opened(options));
    const answers = await Promise.all(
      writers.map((writer, n) =>
        writer.commit([
          commitOf(`own${n}`, 0),
          ...Array.from({ length: 50 }, (_, i) => commitOf(`shared${i}`, 0, { nonce: `writer${n}` })),
        ]),
      ),
    );
    expect(answers.map(([own]) => own)).toEqual(writers.map(() => "ok"));
    for (let i = 0; i < 50; i++) {
      const winners = answers.flatMap((answer, n) => (answer[i + 1] === "ok" ? [`writer${n}`] : []));
      expect((await writers[0]?.load(`shared${i}`))?.map(({ nonce }) => nonce)).toEqual(winners);
      expect(winners).toHaveLength(1);
    }
  });

  it("keeps the others when one conflicts", async () => {
    const options = fresh();
    const storage = opened(options);
    await storage.commit([commitOf("b", 0, { header: headerOf("b") })]);
    const late = { nonce: "late", header: headerOf("b", { status: "failed" }), payloads: long("x") };
    const group = [commitOf("a", 0), commitOf("b", 0, late), commitOf("c", 0, { payloads: long("c") })];
    expect(await storage.commit(group)).toEqual(["ok", "conflict", "ok"]);
    expect([...(await contents(options, "journal")).keys()]).toEqual(['["a",1]', '["b",1]', '["c",1]']);
    expect([...(await contents(options, "payloads")).keys()]).toEqual(['["c",1]']);
    expect((await storage.query({ id: "b" })).items[0]?.status).toBe("running");
  });

  it("leaves nothing of a commit whose predecessor is missing", async () => {
    const options = fresh();
    const storage = opened(options);
    const orphan = { header: headerOf("orphan"), payloads: long("x") };
    expect(await storage.commit([commitOf("orphan", 3, orphan), commitOf("a", 0)])).toEqual(["conflict", "ok"]);
    expect([...(await contents(options, "journal")).keys()]).toEqual(['["a",1]']);
    expect((await contents(options, "payloads")).size).toBe(0);
    expect((await contents(options, "headers")).size).toBe(0);
    expect(await storage.load("orphan")).toBeUndefined();
  });

  it("leaves the winner's payloads when the same commit is sent again", async () => {
    const storage = opened(fresh());
    const commit = commitOf("a", 0, { payloads: long("x") });
    expect(await storage.commit([commit])).toEqual(["ok"]);
    expect(await storage.commit([commit])).toEqual(["conflict"]);
    expect(await storage.payloads("a", [1])).toEqual([long("x")]);
  });

  it("puts long payloads where load does not read them", async () => {
    const options = fresh();
    const storage = opened(options);
    await storage.commit([commitOf("a", 0, { payloads: { input: '"short"' } })]);
    await storage.commit([commitOf("a", 1, { payloads: long("x") })]);
    const rows = [...(await contents(options, "journal")).values()];
    expect(rows.map((row) => Object.keys(row as object).includes("payloads"))).toEqual([true, false]);
    expect(await storage.payloads("a", [2, 1])).toEqual([long("x"), { input: '"short"' }]);
  });

  it.each(["add", "put"] as const)("is STORAGE_FULL and stores nothing when %s exceeds the quota", async (method) => {
    const options = fresh();
    const storage = opened(options);
    await storage.commit([commitOf("a", 0)]);
    const original = IDBObjectStore.prototype[method];
    vi.spyOn(IDBObjectStore.prototype, method).mockImplementation(function (this: IDBObjectStore, value, key) {
      if ((value as { nonce?: string; id?: string }).nonce === "full" || method === "put") {
        throw new DOMException("no space", "QuotaExceededError");
      }
      return original.call(this, value, key);
    });
    const group = [commitOf("b", 0), commitOf("a", 1, { nonce: "full", header: headerOf("a") }), commitOf("c", 0)];
    await expect(storage.commit(group)).rejects.toMatchObject({ code: "STORAGE_FULL" });
    vi.restoreAllMocks();
    expect([...(await contents(options, "journal")).keys()]).toEqual(['["a",1]']);
    expect(await storage.commit(group)).toEqual(["ok", "ok", "ok"]);
  });

  it("is STORAGE_FULL and stores nothing when the browser finds out at the end of the transaction", async () => {
    const options = fresh();
    const storage = opened(options);
    await storage.commit([commitOf("a", 0)]);
    vi.spyOn(IDBTransaction.prototype, "error", "get").mockReturnValue(new DOMException("full", "QuotaExceededError"));
    vi.spyOn(IDBTransaction.prototype, "commit").mockImplementationOnce(IDBTransaction.prototype.abort);
    await expect(storage.commit([commitOf("a", 1), commitOf("b", 0)])).rejects.toMatchObject({ code: "STORAGE_FULL" });
    vi.restoreAllMocks();
    expect([...(await contents(options, "journal")).keys()]).toEqual(['["a",1]']);
  });

  it("reports an unknown outcome and goes on when the transaction is aborted under it", async () => {
    const storage = opened(fresh());
    await storage.commit([commitOf("a", 0)]);
    const original = IDBObjectStore.prototype.add;
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementationOnce(function (this: IDBObjectStore, value, key) {
      const request = original.call(this, value, key);
      this.transaction.abort();
      return request;
    });
    await expect(storage.commit([commitOf("a", 1)])).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect(await storage.commit([commitOf("a", 1)])).toEqual(["ok"]);
  });
});
