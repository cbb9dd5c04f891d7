import { commitOf, headerOf, storageConformance } from "@hephaestus/core/testing/conformance";
import { describe, expect, it } from "vitest";
import { fresh, opened } from "../test/fresh.ts";
import { indexedDbStorage } from "./indexeddb-storage.ts";

storageConformance("indexeddb", async () => {
  const options = fresh();
  return { open: async () => opened(options), reopen: async () => opened(options) };
});

storageConformance("indexeddb, strict durability", async () => {
  const options = { ...fresh(), durability: "strict" as const };
  return { open: async () => opened(options), reopen: async () => opened(options) };
});

describe("indexedDbStorage", () => {
  it("keeps what was committed when it is closed and opened again", async () => {
    const options = fresh();
    const before = indexedDbStorage(options);
    const commit = commitOf("a", 0, { payloads: { input: "1" }, header: headerOf("a", { wakeAt: 5, input: "1" }) });
    await before.commit([commit]);
    await before.close?.();
    const after = opened(options);
    expect((await after.load("a"))?.map(({ nonce }) => nonce)).toEqual(["n0"]);
    expect(await after.payloads("a", [1])).toEqual([{ input: "1" }]);
    expect((await after.query({ id: "a" })).items.length).toBe(1);
    expect(await after.commit([commitOf("a", 1)])).toEqual(["ok"]);
  });

  it("opens nothing before the first use", async () => {
    const options = fresh();
    opened(options);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const names = (await indexedDB.databases()).map(({ name }) => name);
    expect(names.filter((name) => name?.startsWith(options.name))).toEqual([]);
  });

  it("keeps namespaces apart", async () => {
    const { name } = fresh();
    const one = opened({ name });
    const other = opened({ name: fresh().name, namespace: "b/c" });
    await one.commit([commitOf("a", 0)]);
    expect(await other.load("a")).toBeUndefined();
    expect(await other.commit([commitOf("a", 0)])).toEqual(["ok"]);
  });

  it("refuses calls after it was closed, and lets those before end", async () => {
    const storage = opened(fresh());
    const running = storage.commit([commitOf("a", 0)]);
    await storage.close?.();
    expect(await running).toEqual(["ok"]);
    await expect(storage.load("a")).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      details: { reason: "closed" },
    });
  });
});
