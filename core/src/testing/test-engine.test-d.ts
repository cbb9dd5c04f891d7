import { expectTypeOf, test } from "vitest";
import { type } from "../definition/schema.ts";
import { defineStep, done, emit, pending, type StepContext, waitForEvent } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { mock, testEngine } from "./index.ts";

const charge = defineStep({
  name: "charge",
  events: ["charged", "refused"],
  run: ({ input }: StepContext<{ total: number }>) =>
    input.total > 0 ? emit("charged", { paymentId: "p1" }) : emit("refused"),
});
const reserve = defineStep({ name: "reserve", run: () => ({ shelf: 7 }) });
const review = waitForEvent({
  name: "review",
  events: { approved: type<{ by: string }>(), rejected: type<undefined>() },
  timeout: { days: 2 },
});
const flow = defineWorkflow({
  name: "flow",
  input: type<{ total: number }>(),
  unique: { key: "id" },
  start: [charge, reserve],
  transitions: ({ on }) => [
    on(charge, { charged: review, refused: done }),
    on(reserve, { done }),
    on(review, { approved: done, rejected: done, timeout: done }),
  ],
  output: [reserve],
});

test("a mock has the events and results of its step", () => {
  mock(charge).emits("charged", { paymentId: "p2" });
  mock(charge).emits("refused");
  mock(charge).failsTimes(2, new Error("down")).emits("refused");
  mock(reserve).returns({ shelf: 1 });
  mock(charge).runs(({ input, attempt }) => {
    expectTypeOf(input).toEqualTypeOf<{ total: number }>();
    return attempt > 1 ? emit("charged", { paymentId: "p3" }) : emit("refused");
  });
  mock(reserve).runs(async () => ({ shelf: 2 }));
  mock(reserve).runs(() => pending());
  // @ts-expect-error an event that the step does not have
  mock(charge).emits("paid");
  // @ts-expect-error a result of another type
  mock(charge).emits("charged", { paymentId: 2 });
  // @ts-expect-error an event that has a result, without it
  mock(charge).emits("charged");
  // @ts-expect-error a step with several events emits one
  mock(charge).returns({ paymentId: "p2" });
  // @ts-expect-error a result of another type
  mock(reserve).returns({ shelf: "one" });
  // @ts-expect-error an event that the step does not have
  mock(charge).runs(() => emit("paid"));
  // @ts-expect-error a result of another type
  mock(reserve).runs(() => ({ shelf: "two" }));
});

test("a step is named by its value, and sent its events with their payloads", async () => {
  const engine = testEngine({ workflows: [flow], mocks: [mock(charge).fails(), mock(reserve)] });
  const one = await engine.for(flow).start("1", { total: 1 });
  await engine.send(one, review, "approved", { by: "Ann" });
  await engine.send(one, review, "rejected");
  await engine.waitForStep(one, review, "waiting");
  // @ts-expect-error an event that the step does not have
  await engine.send(one, review, "aproved", { by: "Ann" });
  // @ts-expect-error a payload of another type
  await engine.send(one, review, "approved", { by: 1 });
  // @ts-expect-error an event that has a payload, without it
  await engine.send(one, review, "approved");
  // @ts-expect-error a timeout comes by itself
  await engine.send(one, review, "timeout");
  // @ts-expect-error a step's name is no step
  await engine.waitForStep(one, "review");
  // @ts-expect-error no status of a step
  await engine.waitForStep(one, review, "paused");
  // @ts-expect-error no status of a run
  await engine.waitForStatus(one, "skipped");
  expectTypeOf(await one.result()).toEqualTypeOf<{ readonly reserve?: { shelf: number } }>();
});
