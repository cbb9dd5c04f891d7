import { defineStep, defineWorkflow, done, type } from "@hephaestus/core";

const first = defineStep({ name: "first", run: () => null, retry: { maxAttempts: 0 } });
const lost = defineStep({ name: "lost", run: () => null });

export const broken = defineWorkflow({
  name: "broken",
  input: type<unknown>(),
  start: first,
  transitions: ({ on }) => [on(first, { done }), on(lost, { done })],
});
