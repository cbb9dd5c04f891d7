import { describe, expect, it } from "vitest";
import {
  a,
  any,
  b,
  c,
  define,
  PROBLEM_CASES,
  problemsOf,
  single,
  step,
  withOptions,
  wrong,
} from "../../test/problem-cases.ts";
import { type } from "./schema.ts";
import { defineStep, done, emit, wait, waitForEvent, when } from "./step.ts";
import { defineWorkflow } from "./workflow.ts";

describe("what can be wrong with a definition", () => {
  it.each(Object.entries(PROBLEM_CASES))("%s", (code, [make, ...names]) => {
    const found = problemsOf(make).filter((problem) => problem.code === code);
    expect(found.map((problem) => problem.names)).toContainEqual(names);
  });

  it("is told all at once, as one error with a line for each", () => {
    const bad = step("no spaces", { retry: { maxAttempts: 0 }, join: "sometimes", cancelRest: true });
    const late = wait({ name: "late", for: { seconds: -1 } });
    const make = () =>
      define(
        [a, bad],
        [
          [a, { done: late }],
          [late, { done: done }],
          [bad, { done: done, oops: done }],
        ],
        {
          name: "9",
          tags: [7],
          version: 1.5,
          unique: { key: "", scope: "here" },
          metadata: { no: () => {} },
          retention: { weeks: 1 },
          input: undefined,
          output: [c],
        },
      );
    const codes = problemsOf(make).map(({ code }) => code);
    expect(codes.sort()).toEqual(
      [
        "NAME_INVALID",
        "VERSION_INVALID",
        "KEY_INVALID",
        "SCOPE_INVALID",
        "TAG_INVALID",
        "METADATA_INVALID",
        "DURATION_INVALID",
        "SCHEMA_INVALID",
        "NAME_INVALID",
        "JOIN_INVALID",
        "DURATION_INVALID",
        "RETRY_INVALID",
        "TRANSITION_WITHOUT_EVENT",
        "OUTPUT_UNKNOWN",
      ].sort(),
    );
    expect(make).toThrow(/^workflow "9" has 14 problem\(s\):(\n {2}[A-Z_]+: .+){14}$/);
    expect(make).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID", name: "DefinitionError" }));
  });

  it("is told of paths and needs together with what is wrong with names and times", () => {
    const x = step("x", { needs: [b], retry: { maxAttempts: 0 } });
    const make = () =>
      define(
        [a, x],
        [
          [a, { done: b }],
          [b, { done: done }],
          [x, { done: done }],
          [c, { done: done }],
        ],
      );
    expect(problemsOf(make).map(({ code }) => code)).toEqual(["RETRY_INVALID", "STEP_UNREACHABLE", "NEED_NOT_CERTAIN"]);
  });

  it("names every cycle, not only the first", () => {
    const d = step("d");
    const make = () =>
      define(
        [a, c],
        [
          [a, { done: b }],
          [b, { done: [a, done] }],
          [c, { done: d }],
          [d, { done: [c, done] }],
        ],
      );
    const cycles = problemsOf(make).filter(({ code }) => code === "CYCLE");
    expect(cycles.map(({ names }) => [...names].sort())).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
    expect(cycles[0]?.message).toMatch(/a → b → a|b → a → b/);
  });

  it("names the steps of a cycle and not those behind it", () => {
    const make = () =>
      define(a, [
        [a, { done: b }],
        [b, { done: [a, c] }],
        [c, { done: done }],
      ]);
    const [cycle] = problemsOf(make).filter(({ code }) => code === "CYCLE");
    expect([...(cycle?.names ?? [])].sort()).toEqual(["a", "b"]);
  });

  it("is told of values that no TypeScript program could give", () => {
    expect(problemsOf(() => define(wrong([null]), [])).map(({ code }) => code)).toContain("STEP_INVALID");
    expect(problemsOf(() => define(a, [[wrong(undefined), {}]])).map(({ code }) => code)).toContain("STEP_INVALID");
    expect(problemsOf(() => withOptions({ tags: "orders" })).map(({ code }) => code)).toEqual(["TAG_INVALID"]);
    expect(problemsOf(() => withOptions({ metadata: ["x"] })).map(({ code }) => code)).toEqual(["METADATA_INVALID"]);
    for (const listed of [{ output: [undefined] }, { queryable: [undefined] }]) {
      expect(problemsOf(() => withOptions(listed)).map(({ code }) => code)).toEqual(["OUTPUT_UNKNOWN"]);
    }
    expect(problemsOf(() => single(wait(wrong({ name: "a" })))).map(({ code }) => code)).toEqual(["DURATION_INVALID"]);
    expect(problemsOf(() => define([a, a], [[a, { done: done }]])).map(({ code }) => code)).toEqual([
      "TARGET_DUPLICATE",
    ]);
    expect(problemsOf(() => define(done, [])).map(({ code }) => code)).toEqual(["START_MISSING"]);
    expect(problemsOf(() => single(step("done"))).map(({ code }) => code)).toEqual(["NAME_INVALID"]);
    expect(problemsOf(() => single(step("x".repeat(65)))).map(({ code }) => code)).toEqual(["NAME_INVALID"]);
    expect(problemsOf(() => single(step("__proto__"))).map(({ code }) => code)).toContain("NAME_INVALID");
  });

  it("is told of a need that is another step of the same name", () => {
    const x = step("x", { needs: [step("a")] });
    const make = () =>
      define(a, [
        [a, { done: x }],
        [x, { done: done }],
      ]);
    expect(problemsOf(make).map(({ code }) => code)).toEqual(["NEED_UNKNOWN"]);
  });

  it("is told of two payload schemas for one event, also of a wait whose own timeout it is not", () => {
    const one = waitForEvent({ name: "one", events: { go: any, timeout: any }, timeout: { seconds: 1 } });
    expect(problemsOf(() => define(one, [[one, { go: done, timeout: done }]])).map(({ code }) => code)).toEqual([
      "EVENT_DUPLICATE",
    ]);
  });
});

describe("a definition that is right", () => {
  it("passes: the example of the design", () => {
    type Order = { items: number[]; survey: boolean };
    const validate = defineStep({
      name: "validate",
      events: ["valid", "invalid"],
      input: type<Order>(),
      run: ({ input }) => (input.items.length > 0 ? emit("valid", { total: 1 }) : emit("invalid")),
    });
    const charge = defineStep({
      name: "charge",
      needs: [when(validate, "valid")],
      events: ["charged"],
      run: ({ results }) => emit("charged", { paymentId: `${results.validate.total}` }),
    });
    const reserve = defineStep({ name: "reserve", events: ["reserved"], run: () => emit("reserved") });
    const ship = defineStep({ name: "ship", needs: [charge], events: ["shipped"], run: () => emit("shipped") });
    const survey = defineStep({ name: "survey", events: ["sent"], run: () => emit("sent") });
    const flow = defineWorkflow({
      name: "order_flow",
      input: type<Order>(),
      unique: { key: "orderid" },
      tags: ["orders"],
      metadata: { team: "payments" },
      start: validate,
      transitions: ({ on, choose }) => [
        on(validate, { valid: [charge, reserve], invalid: done }),
        on(charge, { charged: ship }),
        on(reserve, { reserved: ship }),
        on(ship, { shipped: choose([survey, done], ({ input }) => (input.survey ? survey : done)) }),
        on(survey, { sent: done }),
      ],
      output: [ship],
    });
    expect(flow.graph.nodes.map(({ name }) => name)).toEqual(["validate", "charge", "reserve", "ship", "survey"]);
    expect(Object.isFrozen(flow)).toBe(true);
  });

  it("may name its events done, and its steps with digits, _ and -", () => {
    expect(problemsOf(() => single(step("a-1_B"), { name: "A-1_b" }))).toEqual([]);
  });
});
