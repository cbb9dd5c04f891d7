import { commitOf } from "@hephaestus/core/testing/conformance";
import { expect, it, vi } from "vitest";
import { fresh, opened } from "./fresh.ts";

it("works in a dedicated worker, whose lock and connection go with it", async () => {
  const options = fresh();
  const storage = opened(options);
  const heard: string[] = [];
  storage.watch?.((id) => heard.push(id));
  await storage.commit([commitOf("a", 0)]);

  const worker = new Worker(new URL("./storage-worker.ts", import.meta.url), { type: "module" });
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ ...options, owner: "w1", commits: [commitOf("a", 1), commitOf("b", 3)] });
  });
  expect(answer).toEqual({ held: true, results: ["ok", "conflict"], loaded: 2, persistent: "unsupported" });
  expect((await storage.load("a"))?.length).toBe(2);
  await vi.waitFor(() => expect(heard).toEqual(["a"]));

  expect(await storage.ownerIsDead?.("w1")).toBe(false);
  worker.terminate();
  await vi.waitFor(async () => expect(await storage.ownerIsDead?.("w1")).toBe(true));
});
