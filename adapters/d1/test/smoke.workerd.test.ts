import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

it("runs in workerd with a database", async () => {
  expect(await env.DB.prepare("SELECT 1 + 1 AS two").first("two")).toBe(2);
});
