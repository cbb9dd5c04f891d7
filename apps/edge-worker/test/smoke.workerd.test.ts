import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";

it("answers /health", async () => {
  const response = await exports.default.fetch("https://example.com/health");
  expect(await response.json()).toEqual({ status: "ok" });
});
