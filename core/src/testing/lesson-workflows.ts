import { NonRetryableError } from "../definition/errors.ts";
import { type Schema, type } from "../definition/schema.ts";
import type { MinimalSignal } from "../definition/signal.ts";
import { defineStep, done, type RunOptions, type StepContext, wait, waitForEvent } from "../definition/step.ts";
import { defineVersions } from "../definition/versions.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { platform } from "../runtime/platform.ts";

/** What the steps of `runnerLessons` are told by the instance's input. */
interface LessonInput {
  /** A step that fails for good on its first attempt. */
  readonly fails?: string;
}

const input: Schema<LessonInput> = type<LessonInput>();
const unique = { key: "n" } as const;

/** How often the code of each step has begun, by idempotency key: kept where the steps run, outside of the engine. */
const begun = new Map<string, number>();
export function timesBegun(id: string, step: string): number {
  return begun.get(`${id}#1/${step}`) ?? 0;
}

function counted<const Name extends string, R>(
  name: Name,
  run: (context: StepContext<LessonInput>) => R | Promise<R>,
  options: RunOptions = {},
) {
  return defineStep({
    ...options,
    name,
    input,
    run: (context) => {
      const { idempotencyKey } = context;
      begun.set(idempotencyKey, (begun.get(idempotencyKey) ?? 0) + 1);
      return run(context);
    },
  });
}

function passes(ms: number): Promise<void> {
  return new Promise((resolve) => void platform.setTimeout(resolve, ms));
}

function stopped(signal: MinimalSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

const last = counted("last", () => "last");

// Inline: a queue's consumer would not die with the runner.
const hang = counted(
  "hang",
  async ({ attempt, signal, checkpoint }) => {
    const effect = await checkpoint("effect", () => attempt);
    return attempt === 1 ? stopped(signal) : effect;
  },
  { execution: "inline" },
);
const hold = waitForEvent({ name: "hold", events: { go: type<unknown>() } });
const later = waitForEvent({ name: "later", events: { early: type<unknown>() } });
const nap = wait({ name: "nap", for: { milliseconds: 100 } });
const again = counted(
  "again",
  ({ attempt }) => {
    if (attempt === 1) throw new Error("not yet");
    return "again";
  },
  { retry: { initial: { milliseconds: 200 }, jitter: false } },
);
/** Of everything that can be in flight when a runner dies, one. */
export const inFlight = defineWorkflow({
  name: "lesson_in_flight",
  input,
  unique,
  start: [hang, hold, nap, again],
  transitions: ({ on }) => [
    on(hang, { done: last }),
    on(hold, { go: later }),
    on(later, { early: last }),
    on(nap, { done: last }),
    on(again, { done: last }),
    on(last, { done }),
  ],
});

const parts = Array.from({ length: 10 }, (_, n) =>
  counted(`part_${n}`, async ({ input, attempt }) => {
    if (input.fails === `part_${n}` && attempt === 1) throw new NonRetryableError("no");
    // Its siblings are still at it when one fails.
    if (input.fails) await passes(20);
    return n;
  }),
);
export const fanOutOfTen = defineWorkflow({
  name: "lesson_fan_out",
  input,
  unique,
  start: parts,
  transitions: ({ on }) => [...parts.map((part) => on(part, { done: last })), on(last, { done })],
});

const shaky = counted(
  "shaky",
  () => {
    throw new Error("never");
  },
  { retry: { maxAttempts: 3, backoff: "constant", initial: { milliseconds: 60 }, jitter: false } },
);
export const throwing = defineWorkflow({
  name: "lesson_throwing",
  input,
  unique,
  start: shaky,
  transitions: ({ on }) => [on(shaky, { done })],
});

/** Longer than all that a runner under test does at intervals: its sweeps, leases and watchdogs. */
const LONG_MS = 1_500;
const longs = (["inline", "queue"] as const).map((execution) =>
  counted(`long_${execution}`, () => passes(LONG_MS), { execution }),
);
export const longSteps = defineWorkflow({
  name: "lesson_long",
  input,
  unique,
  start: longs,
  transitions: ({ on }) => longs.map((long) => on(long, { done })),
});

const stubborn = counted("stubborn", () => passes(50));
export const heedless = defineWorkflow({
  name: "lesson_heedless",
  input,
  unique,
  start: stubborn,
  transitions: ({ on }) => [on(stubborn, { done: last }), on(last, { done })],
});

const scoped = { key: "n", scope: "version" } as const;
const ofVersion = (version: number) =>
  defineWorkflow({
    name: "lesson_versions",
    version,
    input,
    unique: scoped,
    start: hold,
    transitions: ({ on }) => [on(hold, { go: last }), on(last, { done })],
  });
export const apart = defineVersions({
  name: "lesson_versions",
  versions: { 1: ofVersion(1), 2: ofVersion(2) },
  current: 1,
});

export const lessonWorkflows = [inFlight, fanOutOfTen, throwing, longSteps, heedless, apart] as const;
