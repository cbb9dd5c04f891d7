import { defineStep, defineWorkflow, done, NonRetryableError, type, wait, waitForEvent } from "@hephaestus/core";

/** The witness outside of the engine: steps tell it what they do, before and after. */
interface WitnessCalls {
  tell(path: "/begin" | "/end" | "/effect" | "/undo", key: string): Promise<void>;
}

declare module "@hephaestus/core" {
  interface Connectors {
    readonly witness: WitnessCalls;
  }
}

/** A step that is seen by the witness when it begins and when it ends. */
function seen<const Name extends string>(name: Name, execution: "inline" | "queue" = "inline") {
  return defineStep({
    name,
    execution,
    retry: { maxAttempts: 5, initial: { milliseconds: 200 }, backoff: "constant" },
    async run({ connectors: { witness }, idempotencyKey }) {
      await witness.tell("/begin", idempotencyKey);
      await witness.tell("/end", idempotencyKey);
      return { from: name };
    },
  });
}

const common = { input: type<{ n: number }>(), unique: { key: "n" } } as const;

const links = [seen("link0"), seen("link1"), seen("link2", "queue"), seen("link3"), seen("link4")];
/** Five steps in a row, one of them on the queue. */
export const chain = defineWorkflow({
  ...common,
  name: "chain",
  start: links[0] as (typeof links)[number],
  transitions: ({ on }) => links.map((link, index) => on(link, { done: links[index + 1] ?? done })),
  output: links,
});

const split = seen("split");
const merge = seen("merge");
function eightParts<const Name extends string>(name: Name, execution: "inline" | "queue") {
  const parts = Array.from({ length: 8 }, (_, n) => seen(`part${n}`, execution));
  return defineWorkflow({
    ...common,
    name,
    start: split,
    transitions: ({ on }) => [
      on(split, { done: parts }),
      ...parts.map((part) => on(part, { done: merge })),
      on(merge, { done }),
    ],
    output: [merge],
  });
}
/** Eight steps side by side on the queue, between two inline ones. */
export const fanOut = eightParts("fan_out", "queue");
/** The same in the object: results wait for each other. */
export const together = eightParts("together", "inline");

const payload = type<{ id: string }>();
const prepare = seen("prepare");
const payment = waitForEvent({ name: "payment", events: { paid: payload } });
const signature = waitForEvent({ name: "signature", events: { signed: payload } });
const deliver = seen("deliver");
/** Two waits side by side, each for its own event. */
export const waits = defineWorkflow({
  ...common,
  name: "waits",
  start: prepare,
  transitions: ({ on }) => [
    on(prepare, { done: [payment, signature] }),
    on(payment, { paid: deliver }),
    on(signature, { signed: deliver }),
    on(deliver, { done }),
  ],
  output: [payment, signature],
});

const between = seen("between");
/** Two waits in a row: events that come before their step waits are kept. */
export const inbox = defineWorkflow({
  ...common,
  name: "inbox",
  start: prepare,
  transitions: ({ on }) => [
    on(prepare, { done: payment }),
    on(payment, { paid: between }),
    on(between, { done: signature }),
    on(signature, { signed: deliver }),
    on(deliver, { done }),
  ],
  output: [payment, signature],
});

const nap = wait({ name: "nap", for: { milliseconds: 1_500 } });
const woken = seen("woken");
const nobody = waitForEvent({ name: "nobody", events: { came: payload }, timeout: { milliseconds: 2_500 } });
const late = seen("late");
/** A timer, and an event that never comes in time. */
export const timers = defineWorkflow({
  ...common,
  name: "timers",
  start: prepare,
  transitions: ({ on }) => [
    on(prepare, { done: nap }),
    on(nap, { done: woken }),
    on(woken, { done: nobody }),
    on(nobody, { came: done, timeout: late }),
    on(late, { done }),
  ],
});

/** A step with an effect that is taken back when the run fails. */
function booked<const Name extends string>(name: Name, execution: "inline" | "queue" = "inline") {
  return defineStep({
    name,
    execution,
    async run({ connectors: { witness }, idempotencyKey, checkpoint }) {
      await witness.tell("/begin", idempotencyKey);
      await checkpoint("effect", () => witness.tell("/effect", idempotencyKey));
      await witness.tell("/end", idempotencyKey);
      return { from: name };
    },
    compensate: ({ connectors: { witness }, idempotencyKey }) => witness.tell("/undo", idempotencyKey),
  });
}

const room = booked("room");
const flight = booked("flight", "queue");
const pay = defineStep({
  name: "pay",
  async run({ connectors: { witness }, idempotencyKey }) {
    await witness.tell("/begin", idempotencyKey);
    throw new NonRetryableError("no money");
  },
});
/** Fails at its end, and takes back what it did. */
export const trip = defineWorkflow({
  ...common,
  name: "trip",
  start: room,
  transitions: ({ on }) => [on(room, { done: flight }), on(flight, { done: pay }), on(pay, { done })],
});

/** Is cancelled while it waits, and takes back what it did. */
export const cancelled = defineWorkflow({
  ...common,
  name: "cancelled",
  start: room,
  transitions: ({ on }) => [on(room, { done: payment }), on(payment, { paid: deliver }), on(deliver, { done })],
});

/** Waits for an event that is never sent. */
export const resting = defineWorkflow({
  ...common,
  name: "resting",
  start: prepare,
  transitions: ({ on }) => [on(prepare, { done: payment }), on(payment, { paid: done })],
});

/** The witness answers the first calls of its `/end` with an error. */
const flakyStep = seen("flaky");
export const flaky = defineWorkflow({
  ...common,
  name: "flaky",
  start: prepare,
  transitions: ({ on }) => [on(prepare, { done: flakyStep }), on(flakyStep, { done: deliver }), on(deliver, { done })],
});

export const workflows = [chain, fanOut, together, waits, inbox, timers, trip, cancelled, resting, flaky];
