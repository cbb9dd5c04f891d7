import { NonRetryableError } from "../definition/errors.ts";
import { type Schema, type } from "../definition/schema.ts";
import { defineStep, done, emit, pending, type StepContext, wait, waitForEvent } from "../definition/step.ts";
import { type AnyVersions, defineVersions } from "../definition/versions.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import { lessonWorkflows } from "./lesson-workflows.ts";

/** What the conformance suite's steps are told by the instance's input. */
interface SuiteInput {
  /** Steps that throw, so many times. */
  readonly fails?: Readonly<Record<string, number>>;
  readonly to?: string;
}

const input: Schema<SuiteInput> = type<SuiteInput>();
const unique = { key: "n" } as const;

function work({ input: { fails = {} }, attempt }: StepContext<SuiteInput>, name: string): string {
  if (attempt <= (fails[name] ?? 0)) throw new Error(`${name} fails`);
  return name;
}

const QUICK_RETRY = { initial: { milliseconds: 1 }, jitter: false } as const;

function step<const Name extends string>(name: Name) {
  return defineStep({ name, input, retry: QUICK_RETRY, run: (context) => work(context, name) });
}

/** A step whose effect can be undone; what was undone shows in the history. */
function undoable<const Name extends string>(name: Name) {
  return defineStep({ name, input, retry: QUICK_RETRY, run: (context) => work(context, name), compensate: () => {} });
}

const [a, b, c, d] = [step("a"), step("b"), step("c"), step("d")];

export const sequence = defineWorkflow({
  name: "suite_sequence",
  input,
  unique,
  tags: ["suite"],
  metadata: { team: "core" },
  start: a,
  transitions: ({ on }) => [on(a, { done: b }), on(b, { done: c }), on(c, { done })],
  output: [c],
});

export const parallel = defineWorkflow({
  name: "suite_parallel",
  input,
  unique,
  start: a,
  transitions: ({ on }) => [on(a, { done: [b, c] }), on(b, { done: d }), on(c, { done: d }), on(d, { done })],
});

const either = defineStep({
  name: "either",
  input,
  events: ["left", "right"],
  run: ({ input: { to } }) => (to === "left" ? emit("left") : emit("right")),
});
/** LESSONS 1: exclusive branches that merge. */
export const diamond = defineWorkflow({
  name: "suite_diamond",
  input,
  unique,
  start: either,
  transitions: ({ on }) => [on(either, { left: a, right: b }), on(a, { done: d }), on(b, { done: d }), on(d, { done })],
});

const first = waitForEvent({ name: "first", events: { go: type<unknown>() } });
const second = waitForEvent({ name: "second", events: { go: type<unknown>(), stop: type<unknown>() } });
export const waitsInSequence = defineWorkflow({
  name: "suite_waits",
  input,
  unique,
  start: first,
  transitions: ({ on }) => [
    on(first, { go: second }),
    on(second, { go: a, stop: b }),
    on(a, { done }),
    on(b, { done }),
  ],
});

const alpha = waitForEvent({ name: "alpha", events: { for_alpha: type<unknown>() } });
const omega = waitForEvent({ name: "omega", events: { for_omega: type<unknown>() } });
export const parallelWaits = defineWorkflow({
  name: "suite_parallel_waits",
  input,
  unique,
  start: [alpha, omega, a],
  transitions: ({ on }) => [
    on(alpha, { for_alpha: d }),
    on(omega, { for_omega: d }),
    on(a, { done: b }),
    on(b, { done: d }),
    on(d, { done }),
  ],
});

const patient = waitForEvent({ name: "patient", events: { came: type<unknown>() }, timeout: { seconds: 1 } });
export const timeout = defineWorkflow({
  name: "suite_timeout",
  input,
  unique,
  start: patient,
  transitions: ({ on }) => [on(patient, { came: a, timeout: b }), on(a, { done }), on(b, { done })],
});

const nap = wait({ name: "nap", for: { milliseconds: 80 } });
export const timer = defineWorkflow({
  name: "suite_timer",
  input,
  unique,
  start: nap,
  transitions: ({ on }) => [on(nap, { done: a }), on(a, { done })],
});

const ask = defineStep({
  name: "ask",
  input,
  events: ["yes", "timeout"],
  run: ({ input: { to } }) => (to === "now" ? emit("yes", 0) : pending()),
});
export const asynchronous = defineWorkflow({
  name: "suite_async",
  input,
  unique,
  start: ask,
  transitions: ({ on }) => [on(ask, { yes: a, timeout: b }), on(a, { done }), on(b, { done })],
});

const [hotel, flight] = [undoable("hotel"), undoable("flight")];
const pay = defineStep({
  name: "pay",
  input,
  run: ({ attempt, input: { fails = {} } }) => {
    if (attempt <= (fails.pay ?? 0)) throw new NonRetryableError("no money");
    return "paid";
  },
});
export const saga = defineWorkflow({
  name: "suite_saga",
  input,
  unique,
  start: hotel,
  transitions: ({ on }) => [on(hotel, { done: flight }), on(flight, { done: pay }), on(pay, { done })],
});

const risky = defineStep({
  name: "risky",
  input,
  retry: { maxAttempts: 2, ...QUICK_RETRY },
  onFailure: b,
  run: (context) => work(context, "risky"),
});
export const routed = defineWorkflow({
  name: "suite_routed",
  input,
  unique,
  start: risky,
  transitions: ({ on }) => [on(risky, { done: a }), on(a, { done }), on(b, { done })],
});

export const choosing = defineWorkflow({
  name: "suite_choose",
  input,
  unique,
  start: first,
  transitions: ({ on, choose }) => [
    on(first, { go: choose([a, b, done], ({ result }) => (result === "both" ? [a, b] : result === "none" ? [] : a)) }),
    on(a, { done }),
    on(b, { done }),
  ],
});

export const forgotten = defineWorkflow({
  name: "suite_forgotten",
  input,
  unique,
  retention: { milliseconds: 300 },
  start: a,
  transitions: ({ on }) => [on(a, { done })],
});

const bad = defineStep({ name: "bad", input, run: () => ({ list: [() => 1] }) });
export const notJson = defineWorkflow({
  name: "suite_not_json",
  input,
  unique,
  start: bad,
  transitions: ({ on }) => [on(bad, { done })],
});

const versionOne = defineWorkflow({
  name: "suite_versions",
  input,
  unique,
  start: first,
  transitions: ({ on }) => [on(first, { go: a }), on(a, { done })],
});
const versionTwo = defineWorkflow({
  name: "suite_versions",
  version: 2,
  input,
  unique,
  start: first,
  transitions: ({ on }) => [on(first, { go: b }), on(b, { done })],
});
export const versioned = defineVersions({
  name: "suite_versions",
  versions: { 1: versionOne, 2: versionTwo },
  current: 1,
  versionFor: ({ input: { to } }) => (to === "canary" ? 2 : undefined),
});

function scoped<const Name extends string, const Scope extends "version" | "global" | "none">(
  name: Name,
  scope: Scope,
  version = 1,
) {
  return defineWorkflow({
    name,
    version,
    input,
    unique: { key: "order", scope },
    start: first,
    transitions: ({ on }) => [on(first, { go: a }), on(a, { done })],
  });
}
/** Two versions whose instances are apart. */
export const byVersion = [scoped("suite_by_version", "version"), scoped("suite_by_version", "version", 2)] as const;
/** Two workflows that share their keys. */
export const global = [scoped("suite_global_one", "global"), scoped("suite_global_two", "global")] as const;
export const unscoped = scoped("suite_unscoped", "none");

/** All that a runner under test must have the code of. */
export const runnerWorkflows: readonly (AnyWorkflow | AnyVersions)[] = [
  sequence,
  parallel,
  diamond,
  waitsInSequence,
  parallelWaits,
  timeout,
  timer,
  asynchronous,
  saga,
  routed,
  choosing,
  forgotten,
  notJson,
  versioned,
  ...lessonWorkflows,
  ...byVersion,
  ...global,
  unscoped,
];
