import { defineStep, defineWorkflow, done, emit, NonRetryableError, type, wait, waitForEvent } from "@hephaestus/core";

/** Told of each run of a step: the tests' witness, outside of the engine. */
export interface Witness {
  ran(step: string, key: string): void;
  /** A step waits here until the test lets it go on. */
  gate(name: string): Promise<void>;
}

declare module "@hephaestus/core" {
  interface Connectors {
    readonly witness: Witness;
  }
}

const step = <const Name extends string>(name: Name, execution: "inline" | "queue" = "inline") =>
  defineStep({
    name,
    execution,
    run: ({ connectors, idempotencyKey }) => {
      connectors.witness.ran(name, idempotencyKey);
      return { from: name };
    },
  });

const one = step("one");
const two = step("two");
const three = step("three");
export const chain = defineWorkflow({
  name: "chain",
  input: type<unknown>(),
  unique: { key: "n" },
  start: one,
  transitions: ({ on }) => [on(one, { done: two }), on(two, { done: three }), on(three, { done })],
  output: [three],
});

const parts = Array.from({ length: 20 }, (_, n) => step(`part${n}`, "queue"));
const split = step("split");
const join = step("join");
export const fanOut = defineWorkflow({
  name: "fan_out",
  input: type<unknown>(),
  unique: { key: "n" },
  start: split,
  transitions: ({ on }) => [
    on(split, { done: parts }),
    ...parts.map((part) => on(part, { done: join })),
    on(join, { done }),
  ],
  output: [join],
});

const answer = waitForEvent({ name: "answer", events: { yes: type<{ by: string }>(), no: type<undefined>() } });
const after = step("after");
export const waiting = defineWorkflow({
  name: "waiting",
  input: type<unknown>(),
  unique: { key: "n" },
  start: answer,
  transitions: ({ on }) => [on(answer, { yes: after, no: done }), on(after, { done })],
  output: [answer, after],
});

const nap = wait({ name: "nap", for: { milliseconds: 150 } });
export const timed = defineWorkflow({
  name: "timed",
  input: type<unknown>(),
  unique: { key: "n" },
  start: nap,
  transitions: ({ on }) => [on(nap, { done: after }), on(after, { done })],
});

const gated = defineStep({
  name: "gated",
  run: async ({ connectors, idempotencyKey, attempt }) => {
    connectors.witness.ran("gated", `${idempotencyKey}@${attempt}`);
    await connectors.witness.gate(`gated@${attempt}`);
    return { attempt };
  },
});
export const slow = defineWorkflow({
  name: "slow",
  input: type<unknown>(),
  unique: { key: "n" },
  start: gated,
  transitions: ({ on }) => [on(gated, { done: after }), on(after, { done })],
  output: [gated],
});

const book = defineStep({
  name: "book",
  run: ({ connectors, idempotencyKey }) => {
    connectors.witness.ran("book", idempotencyKey);
    return { room: 7 };
  },
  compensate: ({ connectors, result }) => connectors.witness.ran("unbook", String(result.room)),
});
const refuse = defineStep({
  name: "refuse",
  events: ["paid"],
  run: () => {
    if (Date.now() > 0) throw new NonRetryableError("no money");
    return emit("paid");
  },
});
export const failing = defineWorkflow({
  name: "failing",
  input: type<unknown>(),
  unique: { key: "n" },
  start: book,
  transitions: ({ on }) => [on(book, { done: refuse }), on(refuse, { paid: done })],
});

const notJson = defineStep({ name: "not_json", run: () => ({ deep: [{ when: new Date(0) }] }) });
export const badResult = defineWorkflow({
  name: "bad_result",
  input: type<unknown>(),
  unique: { key: "n" },
  start: notJson,
  transitions: ({ on }) => [on(notJson, { done })],
});

export const workflows = [chain, fanOut, waiting, timed, slow, failing, badResult];
