import { expect, it, vi } from "vitest";

it("the client works where Hono is not", async () => {
  vi.doMock("hono", () => {
    throw new Error("hono was imported");
  });
  const { createClient } = await import("./client.ts");
  expect(createClient({ baseUrl: "/api" })).toHaveProperty("start");
  await expect(import("./index.ts")).rejects.toThrow();
});
