import { expect, inject, it } from "vitest";

interface Global {
  readonly Bun?: unknown;
  readonly Deno?: unknown;
  readonly document?: unknown;
  readonly navigator?: { readonly userAgent: string };
}

/** Bun, Deno and workerd have a `process` too, so Node is what is none of the others. */
function runtime(): string {
  const { Bun, Deno, document, navigator } = globalThis as Global;
  if (Bun) return "bun";
  if (Deno) return "deno";
  if (navigator?.userAgent === "Cloudflare-Workers") return "workerd";
  if (document && navigator?.userAgent.includes("Chrome/")) return "chromium";
  return "node";
}

it("the tests of a lane run in the runtime that it is named after", () => {
  expect(runtime()).toBe(inject("runtime"));
});
