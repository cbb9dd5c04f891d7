import { defineStep, defineWorkflow, done, emit, NonRetryableError, type, wait, waitForEvent } from "@hephaestus/core";

/** Told of each run of a step: the tests' witness, outside of the engine. */
export interface Witness {
  ran(step: string, key: string): void;
  /** A step waits here until the test lets it go on. */
  gate(name: string): Promise<void>;
  /** Takes the object of this name out of memory, as a crash does. */
  kill(name: string): void;
  /** Calls out of the object of this name, without waiting for the answer. */
  callOut(name: string): void;
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
  queryable: [two],
});

/** Steps that each wait for something outside, so that each ends in another turn than that in which it began. */
const calls = Array.from({ length: 4 }, (_, n) =>
  defineStep({ name: `call${n}`, run: () => new Promise<number>((resolve) => setTimeout(() => resolve(n), 1)) }),
);
function callsOf<const Name extends string>(name: Name, length: number) {
  const own = calls.slice(0, length);
  return defineWorkflow({
    name,
    input: type<unknown>(),
    unique: { key: "n" },
    start: own[0] as (typeof own)[number],
    transitions: ({ on }) => own.map((call, n) => on(call, { done: own[n + 1] ?? done })),
  });
}
export const outside3 = callsOf("outside3", 3);
export const outside4 = callsOf("outside4", 4);

const queuedStep = step("queued_step", "queue");
/** As `chain`, with a step on the queue in the middle. */
export const chainByQueue = defineWorkflow({
  name: "chain_by_queue",
  input: type<unknown>(),
  unique: { key: "n" },
  start: one,
  transitions: ({ on }) => [on(one, { done: queuedStep }), on(queuedStep, { done: three }), on(three, { done })],
});

const nap = wait({ name: "nap", for: { milliseconds: 150 } });
const split = step("split");
const join = step("join");
function fanOutOf<const Name extends string>(name: Name, width: number) {
  const parts = Array.from({ length: width }, (_, n) => step(`part${n}`, "queue"));
  return defineWorkflow({
    name,
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
}
export const fanOut = fanOutOf("fan_out", 20);
export const pair = fanOutOf("pair", 2);
export const wide = fanOutOf("wide", 1_000);

/** Kills its object whenever it runs, as a step does that takes more memory than there is. */
const deadly = defineStep({
  name: "deadly",
  execution: "inline",
  onFailure: "skip",
  run: async ({ connectors, idempotencyKey, instance, attempt }) => {
    connectors.witness.ran("deadly", `${idempotencyKey}@${attempt}`);
    connectors.witness.kill(instance.id);
    await connectors.witness.gate("never");
  },
});
const siblings = ["left", "right"].map((name) => step(name));
export const deadlyFlow = defineWorkflow({
  name: "deadly_flow",
  input: type<unknown>(),
  unique: { key: "n" },
  start: nap,
  transitions: ({ on }) => [
    on(nap, { done: [...siblings, deadly] }),
    ...siblings.map((sibling) => on(sibling, { done: join })),
    on(deadly, { done: join }),
    on(join, { done }),
  ],
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

/** Takes one event after the other, once it was said that it may. */
const takes = Array.from({ length: 3 }, (_, n) => waitForEvent({ name: `take${n}`, events: { more: type<number>() } }));
export const gathering = defineWorkflow({
  name: "gathering",
  input: type<unknown>(),
  unique: { key: "n" },
  start: answer,
  transitions: ({ on }) => [
    on(answer, { yes: takes[0] as (typeof takes)[number], no: done }),
    ...takes.map((take, n) => on(take, { more: takes[n + 1] ?? done })),
  ],
});

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

/** As `chain`, with a wait and then an event in the middle. */
export const chainWithWait = defineWorkflow({
  name: "chain_with_wait",
  input: type<unknown>(),
  unique: { key: "n" },
  start: one,
  transitions: ({ on }) => [
    on(one, { done: two }),
    on(two, { done: nap }),
    on(nap, { done: three }),
    on(three, { done }),
  ],
});
export const chainWithEvent = defineWorkflow({
  name: "chain_with_event",
  input: type<unknown>(),
  unique: { key: "n" },
  start: one,
  transitions: ({ on }) => [
    on(one, { done: gated }),
    on(gated, { done: answer }),
    on(answer, { yes: three, no: done }),
    on(three, { done }),
  ],
});

const slowSide = defineStep({
  name: "slow_side",
  execution: "inline",
  run: ({ connectors, attempt }) => connectors.witness.gate(`slow_side@${attempt}`),
});
const quickSide = defineStep({
  name: "quick_side",
  execution: "inline",
  run: async ({ connectors, idempotencyKey }) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    connectors.witness.ran("quick_side", idempotencyKey);
    return { from: "quick_side" };
  },
});
/** Two steps side by side, of which one ends soon and the other when it may. */
export const sides = defineWorkflow({
  name: "sides",
  input: type<unknown>(),
  unique: { key: "n" },
  start: one,
  transitions: ({ on }) => [
    on(one, { done: [quickSide, slowSide] }),
    on(quickSide, { done: join }),
    on(slowSide, { done: join }),
    on(join, { done }),
  ],
});

/** Calls out in the turn in which the step before it ended, and is gone with its object in that turn. */
const hasty = defineStep({
  name: "hasty",
  execution: "inline",
  run: ({ input, connectors }) => {
    const { object } = input as { readonly object: string };
    connectors.witness.callOut(object);
    connectors.witness.kill(object);
  },
});
export const hastyFlow = defineWorkflow({
  name: "hasty_flow",
  input: type<unknown>(),
  unique: { key: "n" },
  start: one,
  transitions: ({ on }) => [on(one, { done: hasty }), on(hasty, { done })],
});

export const fleeting = defineWorkflow({
  name: "fleeting",
  input: type<unknown>(),
  unique: { key: "n" },
  retention: { milliseconds: 1_000 },
  start: one,
  transitions: ({ on }) => [on(one, { done })],
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

export const workflows = [
  chain,
  fanOut,
  pair,
  wide,
  deadlyFlow,
  waiting,
  gathering,
  timed,
  slow,
  failing,
  badResult,
  fleeting,
  hastyFlow,
  sides,
  outside3,
  outside4,
  chainByQueue,
  chainWithWait,
  chainWithEvent,
];
