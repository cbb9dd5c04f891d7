import { commitOf } from "@hephaestus/core/testing/conformance";
import { afterEach, expect, it, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("reads that are asked for together share a transaction; what comes meanwhile shares the next", async () => {
  const storage = opened(fresh());
  const ids = Array.from({ length: 50 }, (_, n) => `i${n}`);
  await storage.commit(ids.map((id, n) => commitOf(id, 0, { payloads: { input: String(n) } })));
  const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
  const loads = ids.map((id) => storage.load(id));
  await vi.waitFor(() => expect(transactions).toHaveBeenCalled(), { interval: 0 });
  const payloads = ids.map((id) => storage.payloads(id, [1]));
  expect((await Promise.all(loads)).map((records) => records?.length)).toEqual(ids.map(() => 1));
  expect(await Promise.all(payloads)).toEqual(ids.map((_, n) => [{ input: String(n) }]));
  expect(transactions).toHaveBeenCalledTimes(2);
});

it("tells each of those who share it when the storage cannot be read, and reads again afterwards", async () => {
  const storage = opened(fresh());
  await storage.commit([commitOf("a", 0)]);
  const failing = vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
    throw new DOMException("lost", "UnknownError");
  });
  const answers = await Promise.allSettled([storage.load("a"), storage.load("b"), storage.payloads("a", [1])]);
  expect(answers.map((answer) => answer.status === "rejected" && answer.reason.code)).toEqual(
    answers.map(() => "STORAGE_UNAVAILABLE"),
  );
  failing.mockRestore();
  expect((await storage.load("a"))?.length).toBe(1);
});
