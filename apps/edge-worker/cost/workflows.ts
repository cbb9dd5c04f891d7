import {
  type AnyStep,
  defineStep,
  defineWorkflow,
  done,
  type RunOptions,
  type,
  wait,
  waitForEvent,
} from "@hephaestus/core";

const common = { input: type<{ n: number }>(), unique: { key: "n" } } as const;

/** As a step does that calls something outside: it ends in another turn of its object than that in which it began. */
const elsewhere = (n: number) => () => new Promise<number>((resolve) => setTimeout(() => resolve(n), 1 + n));

function chain(
  name: string,
  length: number,
  run = (n: number): (() => number | Promise<number>) =>
    () =>
      n,
) {
  const steps: AnyStep[] = Array.from({ length }, (_, n) => defineStep({ name: `step${n}`, run: run(n) }));
  return defineWorkflow({
    ...common,
    name,
    start: steps[0] as AnyStep,
    transitions: ({ on }) => steps.map((step, n) => on(step, { done: steps[n + 1] ?? done })),
  });
}

const FAN_OUT_WIDTH = 100;

const split = defineStep({ name: "split", run: () => 0 });
const join = defineStep({ name: "join", run: () => 0 });
function fanOut(name: string, part: (n: number) => RunOptions & { run: () => number | Promise<number> }) {
  const parts = Array.from({ length: FAN_OUT_WIDTH }, (_, n) => defineStep({ ...part(n), name: `part${n}` }));
  return defineWorkflow({
    ...common,
    name,
    start: split,
    transitions: ({ on }) => [
      on(split, { done: parts }),
      ...parts.map((one) => on(one, { done: join })),
      on(join, { done }),
    ],
  });
}

/** Longer than everything else that is waited for. */
export const NAP_MS = 3_600_000;

const before = defineStep({ name: "before", run: () => 1 });
const after = defineStep({ name: "after", run: () => 2 });
const answer = waitForEvent({ name: "answer", events: { yes: type<{ by: string }>() } });
const nap = wait({ name: "nap", for: { milliseconds: NAP_MS } });
const queued = defineStep({ name: "queued", execution: "queue", run: () => 3 });

/** What is counted, by the names that the page gives it. */
export const shapes = {
  "three inline steps": chain("three", 3),
  "three inline steps, each with a call": chain("three_calls", 3, elsewhere),
  "ten inline steps": chain("ten", 10),
  "ten inline steps, each with a call": chain("ten_calls", 10, elsewhere),
  "a step, an event that is waited for, a step": defineWorkflow({
    ...common,
    name: "event",
    start: before,
    transitions: ({ on }) => [on(before, { done: answer }), on(answer, { yes: after }), on(after, { done })],
  }),
  "a step, a timer, a step": defineWorkflow({
    ...common,
    name: "timer",
    start: before,
    transitions: ({ on }) => [on(before, { done: nap }), on(nap, { done: after }), on(after, { done })],
  }),
  "a step, one on the queue, a step": defineWorkflow({
    ...common,
    name: "queued",
    start: before,
    transitions: ({ on }) => [on(before, { done: queued }), on(queued, { done: after }), on(after, { done })],
  }),
  "a fan-out of 100, inline": fanOut("inline", (n) => ({ execution: "inline", run: elsewhere(n) })),
  "a fan-out of 100, by the queue": fanOut("queue", (n) => ({ execution: "queue", run: () => n })),
};

export type Shape = keyof typeof shapes;
