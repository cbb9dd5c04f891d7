import { defineWorkflow, done, type } from "@hephaestus/core";
// As bundlers and TypeScript take them.
// biome-ignore lint/correctness/useImportExtensions: the point of this module
import { first } from "./first.js";
// biome-ignore lint/correctness/useImportExtensions: the point of this module
import { second } from "./steps";

export const bundled = defineWorkflow({
  name: "bundled",
  input: type<unknown>(),
  start: first,
  transitions: ({ on }) => [on(first, { done: second }), on(second, { done })],
});
