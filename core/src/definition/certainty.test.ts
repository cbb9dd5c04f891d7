import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelRun, type ModelWorkflow } from "../testing/model.ts";
import { type Pick, randomWorkflow, toWorkflow } from "../testing/random-workflow.ts";
import { certainty } from "./certainty.ts";
import { collectProblems, type DefinitionError } from "./problems.ts";
import { type } from "./schema.ts";
import { checkShape } from "./shape.ts";
import { type AnyStep, defineStep, done, emit, when } from "./step.ts";
import type { Edges } from "./transitions.ts";
import { defineWorkflow } from "./workflow.ts";

const step = (name: string, more: object = {}): AnyStep => defineStep({ name, run: () => {}, ...more });
const branch = (name: string, more: object = {}): AnyStep =>
  defineStep({ name, events: ["yes", "no"], run: () => emit("yes"), ...more });
type Targets = { readonly [event: string]: Edges["edges"][string] };

/** Whether the definition passes; its only other mistake could be a need that is not certain. */
function passes(start: AnyStep[], edges: [AnyStep, Targets][]): boolean {
  try {
    defineWorkflow({
      name: "flow",
      input: type<unknown>(),
      start,
      transitions: () => edges.map(([one, to]) => ({ step: one, edges: to })),
    });
    return true;
  } catch (error) {
    const codes = (error as DefinitionError).problems.map(({ code }) => code);
    expect([...new Set(codes)]).toEqual(["NEED_NOT_CERTAIN"]);
    return false;
  }
}

describe("a need is certain", () => {
  const a = step("a");
  const b = step("b");

  it("along a chain, however far back", () => {
    const last = step("last", { needs: [a, b] });
    expect(
      passes(
        [a],
        [
          [a, { done: b }],
          [b, { done: last }],
          [last, { done: done }],
        ],
      ),
    ).toBe(true);
  });

  it("for a join, of each branch that runs whenever it does: ship needs charge, though a path avoids it", () => {
    const validate = branch("validate");
    const charge = step("charge", { needs: [when(validate, "yes" as never)] });
    const reserve = step("reserve");
    const ship = step("ship", { needs: [charge, reserve] });
    const edges: [AnyStep, Targets][] = [
      [validate, { yes: [charge, reserve], no: done }],
      [charge, { done: ship }],
      [reserve, { done: ship }],
      [ship, { done: done }],
    ];
    expect(passes([validate], edges)).toBe(true);
  });

  it("not of a branch that may not be taken", () => {
    const choice = branch("choice");
    const last = step("last", { needs: [a] });
    const edges: [AnyStep, Targets][] = [
      [choice, { yes: a, no: b }],
      [a, { done: last }],
      [b, { done: last }],
      [last, { done: done }],
    ];
    expect(passes([choice], edges)).toBe(false);
  });

  it("with an event only where no other event of the step leads", () => {
    const choice = branch("choice");
    const only = step("only", { needs: [when(choice, "yes" as never)] });
    const both = step("both", { needs: [when(choice, "yes" as never)] });
    expect(
      passes(
        [choice],
        [
          [choice, { yes: only, no: done }],
          [only, { done: done }],
        ],
      ),
    ).toBe(true);
    expect(
      passes(
        [choice],
        [
          [choice, { yes: both, no: both }],
          [both, { done: done }],
        ],
      ),
    ).toBe(false);
  });

  it("not of a sibling, which may still run", () => {
    const other = step("other", { needs: [a] });
    expect(
      passes(
        [a, other],
        [
          [a, { done: done }],
          [other, { done: done }],
        ],
      ),
    ).toBe(false);
  });

  it("not of a step that a relaxed join need not wait for, but of what is before all of its branches", () => {
    const first = step("first");
    const join = (needs: AnyStep[]) => step("join", { join: "any", needs });
    const edges = (last: AnyStep): [AnyStep, Targets][] => [
      [first, { done: [a, b] }],
      [a, { done: last }],
      [b, { done: last }],
      [last, { done: done }],
    ];
    expect(passes([first], edges(join([a])))).toBe(false);
    expect(passes([first], edges(join([first])))).toBe(true);
  });

  it("not of a step that may be left out by a choice", () => {
    const last = step("last", { needs: [a] });
    const first = step("first");
    const edges: [AnyStep, Targets][] = [
      [first, { done: { targets: [a, last], pick: () => a } }],
      [a, { done: last }],
      [last, { done: done }],
    ];
    expect(passes([first], edges)).toBe(false);
  });

  it("not of a step that may fail and be gone around: it leaves no result", () => {
    const skipped = step("skipped", { onFailure: "skip" });
    const last = step("last", { needs: [skipped] });
    expect(
      passes(
        [skipped, b],
        [
          [skipped, { done: last }],
          [b, { done: last }],
          [last, { done: done }],
        ],
      ),
    ).toBe(false);
    const rescue = step("rescue");
    const routed = step("routed", { onFailure: rescue });
    const after = step("after", { needs: [routed] });
    const edges: [AnyStep, Targets][] = [
      [routed, { done: after }],
      [rescue, { done: after }],
      [after, { done: done }],
    ];
    expect(passes([routed], edges)).toBe(false);
  });

  it("of a step that may fail the run", () => {
    const last = step("last", { needs: [a] });
    expect(
      passes(
        [a],
        [
          [a, { done: last }],
          [last, { done: done }],
        ],
      ),
    ).toBe(true);
  });

  it("never of itself", () => {
    const self = defineStep({ name: "self", run: () => {}, needs: [] });
    const looped = { ...self, definition: { ...self.definition, needs: [] as AnyStep[] } };
    looped.definition.needs.push(looped);
    expect(passes([looped], [[looped, { done: done }]])).toBe(false);
  });
});

describe("what is certain", () => {
  it("has run, with its event, whenever the step starts, in every run of every workflow", () => {
    const tapes = fc.array(fc.nat(999), { maxLength: 200, size: "max" });
    let claims = 0;
    fc.assert(
      fc.property(tapes, (tape) => {
        let next = 0;
        const pick: Pick = (n) => (tape[next++] ?? 0) % n;
        const model = randomWorkflow(pick, { steps: 8, cancelRest: true, failures: true });
        claims += checkRuns(model, pick);
      }),
      { numRuns: 500 },
    );
    expect(claims).toBeGreaterThan(1_000);
  });
});

/** Runs a workflow in some way, and checks each claim at the moment when a step starts. */
function checkRuns(model: ModelWorkflow, pick: Pick): number {
  const { nodes } = toWorkflow(model).graph;
  const order = checkShape(nodes, collectProblems()) as number[];
  const run = new ModelRun(model);
  const events = new Map<string, string>();
  const seen = new Set<string>();
  let claims = 0;
  for (;;) {
    const { status, outcome } = run.state();
    for (const at of nodes) {
      if (["unreached", "skipped", "cancelled"].includes(status.get(at.name) as string) || seen.has(at.name)) continue;
      seen.add(at.name);
      // What fails without having been started is an unfilled join.
      if (status.get(at.name) === "failed") continue;
      for (const needed of nodes) {
        for (const event of [undefined, ...needed.routes.keys()]) {
          if (!certainty(nodes, order, needed.index, event)(at.index)) continue;
          claims += 1;
          expect(status.get(needed.name), `${at.name} needs ${needed.name}`).toBe("completed");
          if (event !== undefined) expect(events.get(needed.name)).toBe(event);
        }
      }
    }
    const open = model.steps.filter(({ name }) => ["active", "waiting"].includes(status.get(name) as string));
    if (outcome !== undefined || open.length === 0) return claims;
    const { name, events: all, choices } = open[pick(open.length)] as (typeof open)[number];
    if (pick(6) === 5) {
      run.act({ type: "failure", step: name });
      continue;
    }
    const event = Object.keys(all)[pick(Object.keys(all).length)] as string;
    const some = (all[event] as readonly string[]).filter((_, index) => index === 0 || pick(2) === 1);
    events.set(name, event);
    run.act({ type: "outcome", step: name, event, ...(choices.includes(event) ? { targets: some } : {}) });
  }
}
