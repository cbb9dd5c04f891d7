import { defineStep, defineVersions, defineWorkflow, done, emit, type, waitForEvent } from "@hephaestus/core";

interface Order {
  readonly total: number;
}

const check = defineStep({
  name: "check",
  input: type<Order>(),
  events: ["good", "bad"],
  run: ({ input }) => (input.total > 0 ? emit("good") : emit("bad")),
});
const payment = waitForEvent({ name: "payment", events: { paid: type<null>() }, timeout: { days: 3 } });

const one = defineWorkflow({
  name: "orders",
  input: type<Order>(),
  start: check,
  transitions: ({ on }) => [on(check, { good: done, bad: done })],
});
const two = defineWorkflow({
  name: "orders",
  version: 2,
  input: type<Order>(),
  start: check,
  transitions: ({ on }) => [on(check, { good: payment, bad: done }), on(payment, { paid: done, timeout: done })],
});
/** A canary: new instances are still of version 1. */
export const orders = defineVersions({ name: "orders", versions: { 1: one, 2: two }, current: 1 });

const refund = defineStep({ name: "refund", run: () => null });
export const refunds = defineWorkflow({
  name: "refunds",
  input: type<unknown>(),
  start: refund,
  transitions: ({ on }) => [on(refund, { done })],
});
