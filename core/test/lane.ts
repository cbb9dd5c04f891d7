import { inject } from "vitest";

/*
 * Core's tests run on every runtime, from the same files: what they need of the lane that they are in, vitest.config.ts
 * gives them.
 */
declare module "vitest" {
  interface ProvidedContext {
    /** The runtime that the lane says it is. */
    runtime: "node" | "bun" | "deno" | "workerd" | "chromium";
    /** How many of the cases of a property are tried here: 1 is all of them. */
    share: number;
  }
}

declare global {
  interface ImportMeta {
    /** Files by their path, as the bundler finds them: there is no file system in every runtime. */
    glob<T>(pattern: string, options: { readonly eager: true; readonly import: "default" }): Record<string, T>;
  }
}

/**
 * How many cases a property is tried on: so many on Node, fewer where the engine is the same but the runtime another.
 * `HEPHAESTUS_SHARE=20 npx vitest run --project node core/src/engine` tries twenty times as many.
 */
export function cases(onNode: number): number {
  return Math.ceil(onNode * inject("share"));
}
