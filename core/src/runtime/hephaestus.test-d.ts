import { describe, expectTypeOf, test } from "vitest";
import { type Schema, type } from "../definition/schema.ts";
import {
  type AnyStep,
  defineStep,
  done,
  emit,
  pending,
  type ResultsOf,
  wait,
  waitForEvent,
} from "../definition/step.ts";
import type { Edges } from "../definition/transitions.ts";
import { defineVersions } from "../definition/versions.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import type { EventReply } from "../engine/commands.ts";
import type { Hephaestus, StartedInstance, WorkflowHandle } from "./hephaestus.ts";

declare const engine: Hephaestus;

const check = defineStep({ name: "check", events: ["ok", "bad"], run: () => emit("ok", 1) });
const cool = wait({ name: "cool", for: { minutes: 5 } });
const payment = waitForEvent({
  name: "payment",
  events: { payment_confirmed: type<{ amount: number }>(), withdrawn: type<undefined>() },
  timeout: { days: 3 },
});
const review = waitForEvent({
  name: "review",
  events: { approved: type<{ by: string }>(), noted: type<unknown>(), weighed: type<number | undefined>() },
});
const audit = waitForEvent({ name: "audit", events: { approved: type<number>() } });
const render = defineStep({
  name: "render",
  events: ["rendered", "refused"],
  run: async ({ attempt }) => (attempt > 1 ? emit("rendered", { url: "/" }) : pending()),
});
const draw = defineStep({ name: "draw", events: ["drawn"], run: () => pending() });

const orderFlow = defineWorkflow({
  name: "order_flow",
  input: type<{ items: number }>(),
  unique: { key: "orderid" },
  start: check,
  transitions: ({ on }) => [
    on(check, { ok: cool, bad: done }),
    on(cool, { done: payment }),
    on(payment, { payment_confirmed: [review, audit], withdrawn: done, timeout: done }),
    on(review, { approved: render, noted: done, weighed: done }),
    on(audit, { approved: render }),
    on(render, { rendered: draw, refused: done }),
    on(draw, { drawn: done }),
  ],
  output: [payment, check],
});
const orders = engine.for(orderFlow);
type Started = Awaited<ReturnType<typeof orders.start>>;
declare const order: Started;

describe("an event sent to a workflow", () => {
  test("has the payload that its step declares", () => {
    expectTypeOf(orders.resume("1", "payment_confirmed", { amount: 4999 })).toEqualTypeOf<Promise<EventReply>>();
    void orders.resume("1", "payment_confirmed", { amount: 1 }, { id: "delivery-1", durability: "strict" });
    void order.resume("payment_confirmed", { amount: 1 });
    // @ts-expect-error a wrong payload
    void orders.resume("1", "payment_confirmed", { amount: "1" });
    // @ts-expect-error a payload with a property that is not there
    void orders.resume("1", "payment_confirmed", { amount: 1, currency: "EUR" });
    // @ts-expect-error no payload
    void orders.resume("1", "payment_confirmed");
    // @ts-expect-error no payload, started
    void order.resume("payment_confirmed");
    // @ts-expect-error the payload of another event
    void order.resume("payment_confirmed", { by: "Ann" });
  });

  test("is one that a step takes from outside", () => {
    // @ts-expect-error no step has it
    void orders.resume("1", "payment_confirmd", { amount: 1 });
    // @ts-expect-error the step emits it itself, and is never pending
    void orders.resume("1", "ok", 1);
    // @ts-expect-error a wait's timeout is its own
    void orders.resume("1", "timeout");
    // @ts-expect-error so is the end of a timer
    void orders.resume("1", "done");
  });

  test("takes no payload where it has none, and may where it may", () => {
    void orders.resume("1", "withdrawn");
    void orders.resume("1", "withdrawn", undefined, { id: "delivery-2" });
    // @ts-expect-error a payload that nobody reads
    void orders.resume("1", "withdrawn", { why: "late" });
    void orders.resume("1", "noted");
    void orders.resume("1", "noted", ["anything"]);
    void orders.resume("1", "weighed");
    void orders.resume("1", "weighed", 3);
    // @ts-expect-error not a number
    void orders.resume("1", "weighed", "3");
  });

  test("may go to any step that takes it, or to the one that is named", () => {
    void orders.resume("1", "approved", { by: "Ann" });
    void orders.resume("1", "approved", 3);
    void orders.resume("1", "approved", { by: "Ann" }, { step: "review" });
    void order.resume("approved", 3, { step: "audit", id: "delivery-3" });
    // @ts-expect-error what no step takes with it
    void orders.resume("1", "approved", true);
    // @ts-expect-error another step's payload
    void orders.resume("1", "approved", 3, { step: "review" });
    // @ts-expect-error a step that does not take it
    void orders.resume("1", "approved", 3, { step: "payment" });
    // @ts-expect-error a step that there is not
    void order.resume("approved", 3, { step: "nobody" });
  });

  test("ends a step that may be pending, with the result of that event", () => {
    void orders.resume("1", "rendered", { url: "/1" });
    // @ts-expect-error another result
    void orders.resume("1", "rendered", "/1");
    // What the code never emits itself, nothing says the type of.
    void orders.resume("1", "refused");
    void orders.resume("1", "refused", "too large");
    void orders.resume("1", "drawn", { shapes: 3 });
  });

  test("is not known to be wrong where a type does not say what a step takes", () => {
    const loose = defineStep({ name: "loose", run: (): unknown => 1 });
    void bind(loose).resume("1", "done", 7);
    // @ts-expect-error the step has no such event
    void bind(loose).resume("1", "go", 7);
    const any: AnyStep = loose;
    void bind(any).resume("1", "anything", { at: "all" });
    const flow: AnyWorkflow = orderFlow;
    void engine.for(flow).resume("1", "anything", { at: "all" });
    void engine.resume("order_flow/orderid::1", "anything", { at: "all" }, { step: "any" });
  });

  test("is always wrong where no step takes one", () => {
    const sure = defineStep({ name: "sure", run: async () => ({ pending: false }) });
    const fails = defineStep({ name: "fails", run: (): never => ({}) as never });
    // @ts-expect-error it takes none
    void bind(sure).resume("1", "done", { pending: false });
    // @ts-expect-error it takes none
    void bind(fails).resume("1", "done");
  });

  test("ends a step without events of its own with done", () => {
    const one = defineStep({
      name: "one",
      run: ({ attempt }) => (attempt > 1 ? { size: 3 } : pending()),
      compensate: ({ result }) => result.size,
    });
    expectTypeOf<ResultsOf<[typeof one]>["one"]>().toEqualTypeOf<{ size: number }>();
    void bind(one).resume("1", "done", { size: 4 });
    // @ts-expect-error another result
    void bind(one).resume("1", "done", { size: "4" });
    const two = defineStep({ name: "two", run: () => pending() });
    expectTypeOf<ResultsOf<[typeof two]>["two"]>().toBeUnknown();
    void bind(two).resume("1", "done", 7);
  });

  test("has what its schema takes, not what that makes of it", () => {
    const date = {} as Schema<Date> & { "~standard": { types?: { input: string; output: Date } } };
    const due = waitForEvent({ name: "due", events: { moved: date } });
    expectTypeOf<ResultsOf<[typeof due]>["due"]>().toEqualTypeOf<Date>();
    void bind(due).resume("1", "moved", "2026-11-23");
    // @ts-expect-error what the step sees
    void bind(due).resume("1", "moved", new Date(0));
  });

  test("may have a payload that looks like options", () => {
    const pick = waitForEvent({ name: "pick", events: { picked: type<{ step: string; id?: number }>() } });
    void bind(pick).resume("1", "picked", { step: "elsewhere", id: 7 });
    void bind(pick).resume("1", "picked", { step: "elsewhere" }, { step: "pick" });
  });

  test("goes to a run of any version", () => {
    const one = flowOf(waitForEvent({ name: "wait", events: { go: type<number>() } }));
    const two = flowOf(waitForEvent({ name: "wait", events: { go: type<string>(), stop: type<undefined>() } }));
    const versions = engine.for(defineVersions({ name: "flow", versions: { 1: one, 2: two }, current: 1 }));
    void versions.resume("1", "go", 1);
    void versions.resume("1", "go", "1");
    void versions.resume("1", "stop");
    // @ts-expect-error no version takes it
    void versions.resume("1", "go", true);
    // @ts-expect-error no version has it
    void versions.resume("1", "halt");
  });
});

describe("a time given to a step", () => {
  test("is that of one which may wait, and ends it with an event of its own", () => {
    expectTypeOf(orders.scheduleResume("1", "payment", { days: 9 })).toEqualTypeOf<Promise<void>>();
    void orders.scheduleResume("1", "payment", { days: 9 }, { event: "withdrawn", id: "delivery-4" });
    void orders.scheduleResume("1", "payment", { days: 9 }, { event: "timeout" });
    void orders.scheduleResume("1", "cool", { seconds: 1 });
    void order.scheduleResume("render", { minutes: 1 }, { event: "refused" });
    // @ts-expect-error an event of another step
    void orders.scheduleResume("1", "payment", { days: 9 }, { event: "approved" });
    // @ts-expect-error a step that never waits
    void orders.scheduleResume("1", "check", { days: 9 });
    // @ts-expect-error a step that there is not
    void order.scheduleResume("paymnet", { days: 9 });
    // @ts-expect-error not a duration
    void order.scheduleResume("payment", 9);
    const flow: AnyWorkflow = orderFlow;
    void engine.for(flow).scheduleResume("1", "anything", { days: 9 }, { event: "any" });
    void engine.scheduleResume("order_flow/orderid::1", "anything", { days: 9 }, { event: "any" });
  });
});

describe("a handle", () => {
  test("answers the results that the workflow names, from wherever they are asked for", () => {
    type Output = Partial<{ readonly payment: { amount: number } | undefined; readonly check: number }>;
    expectTypeOf(orders.result("1")).resolves.toEqualTypeOf<Output>();
    expectTypeOf(order.result()).resolves.toEqualTypeOf<Output>();
    expectTypeOf(orders.restart("1")).resolves.toEqualTypeOf<Started>();
    expectTypeOf(engine.result("1")).resolves.toBeUnknown();
  });

  test("fits where that of any workflow is taken", () => {
    expectTypeOf<Started>().toExtend<StartedInstance<unknown>>();
    expectTypeOf(orders).toExtend<WorkflowHandle<{ items: number }, unknown, { readonly key: "orderid" }>>();
  });
});

/** A workflow of one step. Its edges are of no interest here, and their type is not known. */
function flowOf<S extends AnyStep>(step: S) {
  const edges: Edges<S> = { step, edges: {} };
  return defineWorkflow({ name: "flow", input: type<unknown>(), start: step, transitions: () => [edges] });
}

function bind<S extends AnyStep>(step: S) {
  return engine.for(flowOf(step));
}
