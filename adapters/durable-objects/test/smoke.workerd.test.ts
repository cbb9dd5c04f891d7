import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";

it("runs in workerd with an object, its storage, a queue and a database", async () => {
  const object = env.INSTANCES.getByName("smoke");
  expect(await object.add()).toBe(1);
  await env.STEPS.send({ object: "smoke" });
  await vi.waitFor(async () => expect(await object.count()).toBe(2), { timeout: 5_000, interval: 20 });
  expect(await env.DB.prepare("SELECT 1 + 1 AS two").first("two")).toBe(2);
});
