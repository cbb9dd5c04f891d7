import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { expect, it, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";

/** Every way to ask a store or an index for something. */
const ASKS = ["get", "getKey", "getAll", "getAllKeys", "count", "openCursor", "openKeyCursor"] as const;

it("LESSONS 14: a start asks for as much among hundreds of instances as when it is the first", async () => {
  const asked: string[] = [];
  for (const prototype of [IDBObjectStore.prototype, IDBIndex.prototype]) {
    for (const name of ASKS) {
      const original = prototype[name] as (this: unknown, ...args: unknown[]) => IDBRequest;
      vi.spyOn(prototype, name).mockImplementation(function (this: unknown, ...args: unknown[]) {
        const request = original.apply(this, args);
        request.addEventListener("success", () => {
          const { result } = request;
          asked.push(`${name}: ${Array.isArray(result) ? result.length : 1}`);
        });
        return request as never;
      });
    }
  }
  const storage = opened(fresh());
  const start = (id: string) => commitOf(id, 0, { header: headerOf(id, { wakeAt: 1, tags: ["x"] }) });
  const costOf = async (id: string) => {
    asked.length = 0;
    await storage.load(id);
    await storage.commit([start(id)]);
    return [...asked];
  };
  // A connection looks until it has a standing.
  await storage.commit([start("before")]);
  const first = await costOf("first");
  await storage.commit(Array.from({ length: 500 }, (_, n) => start(`many${n}`)));
  expect(first.length).toBeGreaterThan(0);
  expect(await costOf("last")).toEqual(first);
  vi.restoreAllMocks();
});
