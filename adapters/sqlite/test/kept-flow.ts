// The workflow of the instances in `schemas/`. It stays as it is: they go on with it.
import { defineStep, defineWorkflow, done, type StepContext, type, waitForEvent } from "@hephaestus/core";

interface Order {
  readonly orderId: number;
}

/** The order at which the process that wrote the files was stopped. */
export const UNFINISHED = 3;

const validate = defineStep({
  name: "validate",
  async run({ input, connectors }: StepContext<Order>) {
    await (connectors as { readonly gate?: (orderId: number) => Promise<void> }).gate?.(input.orderId);
    return { total: input.orderId * 10 };
  },
});
const payment = waitForEvent({ name: "payment", events: { paid: type<{ readonly amount: number }>() } });
const ship = defineStep({
  name: "ship",
  needs: [validate, payment],
  run: ({ results }) => ({ shipped: results.validate.total }),
});

export const keptFlow = defineWorkflow({
  name: "kept_flow",
  input: type<Order>(),
  unique: { key: "orderid" },
  tags: ["kept"],
  metadata: { team: "shipping" },
  start: validate,
  transitions: ({ on }) => [on(validate, { done: payment }), on(payment, { paid: ship }), on(ship, { done })],
  output: [ship],
});
