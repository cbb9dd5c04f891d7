import { describe, expectTypeOf, test } from "vitest";
import { type Schema, type } from "./schema.ts";
import {
  defineStep,
  done,
  type EventOf,
  emit,
  pending,
  type ResultsOf,
  type Step,
  type StepContext,
  wait,
  waitForEvent,
  when,
} from "./step.ts";
import { defineWorkflow, type WorkflowInput, type WorkflowOutput } from "./workflow.ts";

type Order = { items: { price: number }[]; survey: boolean };

const validate = defineStep({
  name: "validate",
  events: ["valid", "invalid"],
  run: ({ input }: StepContext<Order>) => (input.items.length > 0 ? emit("valid", { total: 3 }) : emit("invalid")),
});
const charge = defineStep({
  name: "charge",
  needs: [when(validate, "valid")],
  events: ["charged"],
  run: async ({ results }) => emit("charged", { paymentId: `p${results.validate.total}` }),
  compensate: ({ result }) => result.paymentId.toUpperCase(),
});
const reserve = defineStep({ name: "reserve", run: () => ({ shelf: 7 }) });
const ship = defineStep({
  name: "ship",
  needs: [charge],
  maybeNeeds: [reserve],
  run: ({ results }) => ({ label: results.charge.paymentId, shelf: results.reserve?.shelf }),
});
const foreign = defineStep({ name: "foreign", run: ({ input }: StepContext<{ nothing: "like it" }>) => input.nothing });

const orderFlow = defineWorkflow({
  name: "order_flow",
  input: type<Order>(),
  start: [validate, reserve],
  output: [ship],
  transitions: ({ on, choose }) => [
    on(validate, { valid: [charge], invalid: done }),
    on(reserve, { done: ship }),
    on(charge, { charged: ship }),
    on(ship, { done: choose([validate, done], ({ input }) => (input.survey ? validate : done)) }),
  ],
});

describe("a step", () => {
  test("is typed by its name, its input and the result of each of its events", () => {
    expectTypeOf(validate).toEqualTypeOf<Step<"validate", Order, { valid: { total: number }; invalid: undefined }>>();
    expectTypeOf<EventOf<typeof validate>>().toEqualTypeOf<"valid" | "invalid">();
  });

  test("that just returns a value has the event done", () => {
    expectTypeOf(reserve).toEqualTypeOf<Step<"reserve", unknown, { done: { shelf: number } }>>();
  });

  test("that is asynchronous has the type of what it resolves to", () => {
    const step = defineStep({ name: "step", run: async () => 7 });
    expectTypeOf(step).toEqualTypeOf<Step<"step", unknown, { done: number }>>();
  });

  test("that is not typed stays so", () => {
    const parsed = defineStep({ name: "parsed", run: async () => JSON.parse("{}") });
    expectTypeOf<ResultsOf<[typeof parsed]>["parsed"]>().toBeAny();
    const unknown = defineStep({ name: "unknown", run: (): unknown => 1 });
    expectTypeOf<ResultsOf<[typeof unknown]>["unknown"]>().toBeUnknown();
    const nothing = defineStep({ name: "nothing", run: async () => {} });
    expectTypeOf<ResultsOf<[typeof nothing]>["nothing"]>().toBeVoid();
    const throws = defineStep({ name: "throws", run: (): never => JSON.parse("") as never });
    expectTypeOf<ResultsOf<[typeof throws]>["throws"]>().toBeNever();
  });

  test("may leave its outcome to later", () => {
    const step = defineStep({ name: "step", events: ["yes", "no"], run: () => pending() });
    expectTypeOf<EventOf<typeof step>>().toEqualTypeOf<"yes" | "no">();
    defineStep({
      name: "step",
      events: ["yes", "no"],
      run: ({ attempt }) => (attempt > 1 ? emit("no", 1) : pending()),
    });
  });

  test("is given typed input and needs together, when its input is typed by a field", () => {
    const both = defineStep({
      name: "both",
      input: type<Order>(),
      needs: [when(validate, "valid"), reserve],
      maybeNeeds: [charge],
      events: ["ok"],
      run: ({ input, results }) => {
        expectTypeOf(input).toEqualTypeOf<Order>();
        expectTypeOf(results.validate).toEqualTypeOf<{ total: number }>();
        expectTypeOf(results.reserve).toEqualTypeOf<{ shelf: number }>();
        expectTypeOf(results.charge).toEqualTypeOf<{ paymentId: string } | undefined>();
        return emit("ok", input.items.length + results.validate.total);
      },
      compensate: ({ input, results, result }) => {
        expectTypeOf(input).toEqualTypeOf<Order>();
        expectTypeOf(results.reserve).toEqualTypeOf<{ shelf: number }>();
        expectTypeOf(result).toEqualTypeOf<number>();
      },
    });
    expectTypeOf(both).toEqualTypeOf<Step<"both", Order, { ok: number }>>();
    const one = defineStep({
      name: "one",
      input: type<Order>(),
      needs: [reserve],
      run: ({ input, results }) => input.items.length + results.reserve.shelf,
    });
    expectTypeOf(one).toEqualTypeOf<Step<"one", Order, { done: number }>>();
  });

  test("sees the union of results where it does not say after which event", () => {
    expectTypeOf<ResultsOf<[typeof validate]>>().toEqualTypeOf<{
      readonly validate: { total: number } | undefined;
    }>();
  });

  test("that waits is typed by the payloads of its events, and by its timeout if it has one", () => {
    const review = waitForEvent({
      name: "review",
      events: { approved: type<{ by: string }>(), rejected: type<string>() },
      timeout: { days: 2 },
    });
    expectTypeOf<EventOf<typeof review>>().toEqualTypeOf<"approved" | "rejected" | "timeout">();
    expectTypeOf<ResultsOf<[typeof review]>["review"]>().toEqualTypeOf<{ by: string } | string | undefined>();
    const forever = waitForEvent({ name: "forever", events: { go: type<number>() } });
    expectTypeOf<EventOf<typeof forever>>().toEqualTypeOf<"go">();
    expectTypeOf(wait({ name: "pause", for: { seconds: 1 } })).toExtend<Step<"pause", unknown, { done: undefined }>>();
  });
});

describe("a step can't", () => {
  test("emit what it does not declare", () => {
    // @ts-expect-error an undeclared event
    defineStep({ name: "bad", events: ["a"], run: () => emit("b") });
    // @ts-expect-error a plain value where several events are declared
    defineStep({ name: "bad", events: ["a"], run: () => 7 });
  });

  test("read what it does not need", () => {
    // @ts-expect-error an undeclared need
    defineStep({ name: "bad", events: ["a"], run: ({ results }) => emit("a", results.validate) });
    // @ts-expect-error a need that may not have run
    defineStep({ name: "bad", maybeNeeds: [reserve], run: ({ results }) => results.reserve.shelf });
    // @ts-expect-error what the input does not have
    defineStep({ name: "bad", input: type<Order>(), run: ({ input }) => input.nosuch });
  });

  test("need an event that another does not have", () => {
    // @ts-expect-error an event that the step does not have
    when(validate, "maybe");
  });

  test("have options that do not exist", () => {
    // @ts-expect-error an unknown join
    defineStep({ name: "bad", join: "some", run: () => 1 });
    // @ts-expect-error a duration that is a number
    defineStep({ name: "bad", timeout: 5, run: () => 1 });
    // @ts-expect-error an unknown back-off
    defineStep({ name: "bad", retry: { backoff: "random" }, run: () => 1 });
  });
});

describe("a workflow", () => {
  test("is typed by its name, its input, and the results that it returns", () => {
    expectTypeOf(orderFlow.name).toEqualTypeOf<"order_flow">();
    expectTypeOf<WorkflowInput<typeof orderFlow>>().toEqualTypeOf<Order>();
    expectTypeOf<WorkflowOutput<typeof orderFlow>>().toEqualTypeOf<
      Partial<{ readonly ship: { label: string; shelf: number | undefined } }>
    >();
  });

  test("takes the type that its schema makes of the input", () => {
    const schema = {} as Schema<{ parsed: true }>;
    const reads = defineStep({ name: "reads", run: ({ input }: StepContext<{ parsed: true }>) => input.parsed });
    defineWorkflow({ name: "w", input: schema, start: reads, transitions: ({ on }) => [on(reads, { done: done })] });
  });

  test("takes steps that read less than its input has", () => {
    const less = defineStep({ name: "less", run: ({ input }: StepContext<{ survey: boolean }>) => input.survey });
    defineWorkflow({
      name: "w",
      input: type<Order>(),
      start: less,
      transitions: ({ on }) => [on(less, { done: done })],
    });
  });
});

describe("a workflow can't", () => {
  const transitions = (make: Parameters<typeof defineWorkflow<"w", Order>>[0]["transitions"]) => make;

  test("leave out an event, or add one", () => {
    transitions(({ on }) => [
      // @ts-expect-error an event without a transition
      on(validate, { valid: charge }),
      // @ts-expect-error a transition without an event
      on(charge, { charged: ship, oops: done }),
    ]);
  });

  test("hold steps that read another input", () => {
    transitions(({ on }) => [
      // @ts-expect-error a target that reads another input
      on(charge, { charged: foreign }),
      // @ts-expect-error a step that reads another input
      on(foreign, { done: done }),
    ]);
    // @ts-expect-error a start that reads another input
    defineWorkflow({ name: "w", input: type<Order>(), start: foreign, transitions: () => [] });
  });

  test("choose by what the input does not have, or what is not among the targets", () => {
    transitions(({ on, choose }) => [
      // @ts-expect-error a choice that reads what the input does not have
      on(reserve, { done: choose([ship, done], ({ input }) => (input.nosuch ? ship : done)) }),
      // @ts-expect-error a choice outside its targets
      on(reserve, { done: choose([ship], () => done) }),
    ]);
  });

  test("lead to what is not a step", () => {
    transitions(({ on }) => [
      // @ts-expect-error a name in place of a step
      on(reserve, { done: "ship" }),
    ]);
  });
});
