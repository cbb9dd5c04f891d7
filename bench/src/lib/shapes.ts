import { type AnyStep, defineStep, defineWorkflow, done, type } from "@hephaestus/core";

/** What the step of an index does; each returns a number, as its peers' steps do. */
export type StepRun = (index: number) => () => number | Promise<number>;

const value: StepRun = (index) => () => index;

const steps = (count: number, run: StepRun): AnyStep[] =>
  Array.from({ length: count }, (_, index) => defineStep({ name: `step_${index}`, run: run(index) }));

/** Steps one after the other. */
export function chain(length: number, run: StepRun = value) {
  const all = steps(length, run);
  return defineWorkflow({
    name: `chain_${length}`,
    input: type<unknown>(),
    start: all[0] as AnyStep,
    transitions: ({ on }) => all.map((step, index) => on(step, { done: all[index + 1] ?? done })),
    output: [all.at(-1) as AnyStep],
  });
}

/** One step, then many side by side, then one that waits for all of them. */
export function fanOut(width: number, run: StepRun = value) {
  const [first, last, ...rest] = steps(width + 2, run) as [AnyStep, AnyStep, ...AnyStep[]];
  return defineWorkflow({
    name: `fan_out_${width}`,
    input: type<unknown>(),
    start: first,
    transitions: ({ on }) => [
      on(first, { done: rest }),
      ...rest.map((step) => on(step, { done: last })),
      on(last, { done: done }),
    ],
    output: [last],
  });
}
