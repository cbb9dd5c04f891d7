import { type Schema, type } from "../../definition/schema.ts";
import { defineStep, done, emit, type StepContext, wait, waitForEvent } from "../../definition/step.ts";
import { defineWorkflow } from "../../definition/workflow.ts";

/*
 * The workflows of the golden files. What is stored of an instance names the fingerprint of its graph: a workflow here
 * never changes, or no instance that was kept goes on. What a new format needs is a new workflow.
 */

/** What an instance's steps do: "never" does not come back, "fail" throws, and what is not named works. */
type Input = { readonly [step: string]: "never" | "fail" };
const input: Schema<Input> = type<Input>();
const unique = { key: "n" } as const;
const retry = { maxAttempts: 2, initial: { minutes: 1 }, jitter: false } as const;

/** An error whose stack is the same on every machine. */
function broken(step: string): Error {
  const cause = Object.assign(new RangeError("the reason"), { stack: "RangeError: the reason\n    at reason.ts:1:1" });
  const error = new Error(`${step} is broken`, { cause });
  return Object.assign(error, { stack: `Error: ${step} is broken\n    at ${step}.ts:1:1`, code: "BROKEN" });
}

function act(name: string, context: StepContext<Input>): { readonly by: string; readonly attempt: number } {
  if (context.input[name] === "fail" && !restored.has(context.instance.id)) throw broken(name);
  return { by: name, attempt: context.attempt };
}

/** Instances whose world works again: what they are told to fail at succeeds from now on. */
export const restored: Set<string> = new Set();

function step<const Name extends string>(name: Name) {
  return defineStep({ name, input, retry, run: (context) => perform(name, context, () => act(name, context)) });
}

function undoable<const Name extends string>(name: Name, outcome: "known" | "unknown" = "known") {
  return defineStep({
    name,
    input,
    retry,
    outcome,
    run: (context) => perform(name, context, () => act(name, context)),
    compensate: (context) => void act(`undo_${name}`, context),
  });
}

function perform<T>(name: string, context: StepContext<Input>, code: () => T): T | Promise<never> {
  if (context.input[name] === "never" && !restored.has(context.instance.id)) return new Promise<never>(() => {});
  return code();
}

const go = type<{ readonly by: string }>();

function waits() {
  const reserve = step("reserve");
  const coolOff = wait({ name: "cool_off", for: { days: 3 } });
  const review = waitForEvent({
    name: "review",
    events: { approved: go, rejected: type<undefined>() },
    timeout: { days: 7 },
  });
  const signature = waitForEvent({ name: "signature", events: { signed: go } });
  const ship = step("ship");
  return defineWorkflow({
    name: "golden_waits",
    input,
    unique,
    tags: ["golden"],
    metadata: { team: "core" },
    start: [reserve, coolOff],
    transitions: ({ on }) => [
      on(reserve, { done: [review, signature] }),
      on(coolOff, { done: ship }),
      on(review, { approved: ship, rejected: done, timeout: ship }),
      on(signature, { signed: ship }),
      on(ship, { done }),
    ],
    output: [ship],
  });
}

function joins() {
  const [one, two, three] = [step("one"), step("two"), step("three")];
  const slow = waitForEvent({ name: "slow", events: { go } });
  const first = defineStep({
    name: "first",
    join: "any",
    cancelRest: true,
    input,
    run: () => emit("done", 1, { note: "x" }),
    events: ["done"],
  });
  const quorum = defineStep({ name: "quorum", join: { atLeast: 2 }, run: () => "two of three" });
  const optional = defineStep({
    name: "optional",
    input,
    onFailure: "skip",
    retry: { maxAttempts: 1 },
    run: (context) => act("optional", context),
  });
  const left = defineStep({ name: "left", maybeNeeds: [optional], run: ({ results }) => results.optional ?? null });
  const right = step("right");
  const last = waitForEvent({ name: "last", events: { end: go } });
  return defineWorkflow({
    name: "golden_joins",
    input,
    unique,
    start: [one, two, three, slow],
    transitions: ({ on, choose }) => [
      on(one, { done: [first, quorum] }),
      on(slow, { go: first }),
      on(two, { done: quorum }),
      on(three, { done: quorum }),
      on(first, { done: choose([left, right], () => left) }),
      on(quorum, { done: optional }),
      on(optional, { done: last }),
      on(left, { done: last }),
      on(right, { done: last }),
      on(last, { end: done }),
    ],
  });
}

function undo() {
  const book = undoable("book");
  const pay = undoable("pay", "unknown");
  const upload = defineStep({
    name: "upload",
    input,
    retry,
    run: async (context) => {
      const file = await context.checkpoint("file", () => ({ file: "f1" }));
      return perform("upload", context, () => ({ ...act("upload", context), ...file }));
    },
  });
  const confirm = waitForEvent({ name: "confirm", events: { confirmed: go } });
  const send = step("send");
  return defineWorkflow({
    name: "golden_undo",
    input,
    unique,
    start: book,
    transitions: ({ on }) => [
      on(book, { done: pay }),
      on(pay, { done: upload }),
      on(upload, { done: confirm }),
      on(confirm, { confirmed: send }),
      on(send, { done }),
    ],
    output: [send],
  });
}

function version(number: 1 | 2) {
  const [one, two] = [step("one"), step("two")];
  const hold = waitForEvent({ name: "hold", events: { go } });
  return defineWorkflow({
    name: "golden_versions",
    version: number,
    input,
    unique,
    start: one,
    transitions: ({ on }) =>
      number === 1
        ? [on(one, { done: hold }), on(hold, { go: done })]
        : [on(one, { done: hold }), on(hold, { go: two }), on(two, { done })],
  });
}

/** Version 1 as it was changed in place: another graph, which instances have to adopt. */
function changedVersion() {
  const [one, two] = [step("one"), step("two")];
  const hold = waitForEvent({ name: "hold", events: { go } });
  return defineWorkflow({
    name: "golden_versions",
    input,
    unique,
    start: one,
    transitions: ({ on }) => [on(one, { done: hold }), on(hold, { go: two }), on(two, { done })],
  });
}

export const flows = {
  waits: waits(),
  joins: joins(),
  undo: undo(),
  version1: version(1),
  version2: version(2),
  changed: changedVersion(),
} as const;
