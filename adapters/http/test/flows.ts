import { defineStep, defineWorkflow, done, emit, type Schema, type, waitForEvent } from "@hephaestus/core";

export interface Order {
  readonly items: number;
  readonly fail?: boolean;
}

interface Approval {
  readonly by: string;
}

/** A schema as a validation library would make it. */
function schema<T>(message: string, fits: (value: unknown) => boolean): Schema<T> {
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => (fits(value) ? { value: value as T } : { issues: [{ message, path: ["items"] }] }),
    },
  };
}

const order = schema<Order>("must be a number", (value) => typeof (value as Partial<Order> | null)?.items === "number");
const approval = schema<Approval>("must name somebody", (value) => {
  return typeof (value as Partial<Approval> | null)?.by === "string";
});

const price = defineStep({
  name: "price",
  input: type<Order>(),
  run: ({ input }) => ({ total: input.items * 10 }),
});

const approve = waitForEvent({ name: "approve", events: { approved: approval, refused: type<unknown>() } });

const escalate = waitForEvent({ name: "escalate", events: { approved: approval } });

const ship = defineStep({
  name: "ship",
  input: type<Order>(),
  needs: [price],
  events: ["shipped"],
  retry: { maxAttempts: 1 },
  run: ({ input, results }) => {
    if (input.fail) throw new Error("the truck broke down");
    return emit("shipped", { paid: results.price.total });
  },
  compensate: () => {},
});

/** A business key, an event with a schema, a step that may fail. */
export const orderFlow = defineWorkflow({
  name: "order_flow",
  input: order,
  unique: { key: "orderid" },
  tags: ["orders"],
  metadata: { team: "shop" },
  start: price,
  transitions: ({ on }) => [
    on(price, { done: approve }),
    on(approve, { approved: ship, refused: escalate }),
    on(escalate, { approved: ship }),
    on(ship, { shipped: done }),
  ],
  output: [ship],
});

const write = defineStep({ name: "write", input: type<{ text: string }>(), run: ({ input }) => input.text.length });

/** No business key. */
export const noteFlow = defineWorkflow({
  name: "note_flow",
  version: 2,
  input: type<{ text: string }>(),
  start: write,
  transitions: ({ on, choose }) => [on(write, { done: choose([done], () => done) })],
  output: [write],
});
