import { describe, expect, it } from "vitest";
import { cases } from "../../../test/lane.ts";
import { type } from "../../definition/schema.ts";
import { defineStep, done, emit } from "../../definition/step.ts";
import { defineWorkflow } from "../../definition/workflow.ts";
import { CANARIES } from "./canaries.ts";
import { addCoverage, emptyCoverage } from "./coverage.ts";
import type { Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { type SimulationOptions, simulate } from "./simulate.ts";

/** Seeds of every test run: always the same. `npm run simulate` runs any number. */
const SEEDS_ON_NODE = 150;
const SEEDS = cases(SEEDS_ON_NODE);
/** Most canaries die within a handful of seeds; within a thousand all must. */
const CANARY_SEEDS = 200;

async function clean(what: number | Plan, options?: SimulationOptions) {
  const result = await simulate(what, options);
  if (result.violation === undefined) return result;
  const { trace } = await simulate(result.plan, { ...options, keepsTrace: true });
  throw new Error(`seed ${result.plan.seed}: ${result.violation.message}\n${trace.slice(-30).join("\n")}`);
}

describe("regressions", () => {
  const plans = import.meta.glob<Plan>("./regressions/*.json", { eager: true, import: "default" });
  for (const [file, plan] of Object.entries(plans)) {
    it(file.slice(file.lastIndexOf("/") + 1), async () => {
      await clean(plan);
    });
  }
});

describe("the simulator", () => {
  it("finds nothing in a fixed set of seeds, each with 50 operations on two workers and 5 faults at least", async () => {
    const coverage = emptyCoverage();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { operations, workers, faults, coverage: met } = await clean(seed);
      expect(operations).toBeGreaterThanOrEqual(50);
      expect(workers).toBeGreaterThanOrEqual(2);
      expect(faults).toBeGreaterThanOrEqual(5);
      addCoverage(coverage, met);
    }
    for (const status of [
      "running",
      "waiting",
      "paused",
      "compensating",
      "completed",
      "failed",
      "cancelled",
      "deleted",
    ]) {
      expect(coverage.statuses.get(status), status).toBeGreaterThan(0);
    }
    // They are rare: the few seeds of the other lanes need not meet them.
    for (const met of SEEDS < SEEDS_ON_NODE ? [] : ["parked", "adopted", "adopt refused"]) {
      expect(coverage.editions.get(met), met).toBeGreaterThan(0);
    }
  }, 60_000);

  it("does the same for the same seed, in every detail", async () => {
    for (let seed = 1; seed <= cases(25); seed++) {
      const [one, other] = [await simulate(seed), await simulate(seed)];
      expect(other.hash).toBe(one.hash);
      expect(other.picks).toBe(one.picks);
    }
    expect((await simulate(1)).hash).not.toBe((await simulate(2)).hash);
  }, 30_000);

  it("takes the workflows of its user", async () => {
    const pay = defineStep({ name: "pay", run: () => "paid", compensate: () => {} });
    const check = defineStep({
      name: "check",
      events: ["ok", "bad"],
      run: ({ attempt }) => emit(attempt > 1 ? "bad" : "ok"),
    });
    const order = defineWorkflow({
      name: "order",
      input: type<unknown>(),
      unique: { key: "orderid" },
      start: [pay, check],
      transitions: ({ on }) => [on(pay, { done }), on(check, { ok: done, bad: done })],
    });
    for (let seed = 1; seed <= cases(20); seed++) await clean(seed, { workflows: [order] });
  }, 30_000);
});

describe("a canary", () => {
  for (const [name, canary] of Object.entries(CANARIES)) {
    it(`is caught: ${canary.broken} (${name})`, async () => {
      for (let seed = 1; seed <= CANARY_SEEDS; seed++) {
        const { violation } = await simulate(seed, { canary });
        if (violation) return;
      }
      expect.fail(`${name} lives after ${CANARY_SEEDS} seeds`);
    }, 60_000);
  }

  it("that fails is shrunk to what its failure needs", async () => {
    const canary = CANARIES["blind-commit"]!;
    let seed = 1;
    let failed = await simulate(seed, { canary });
    while (failed.violation === undefined) failed = await simulate(++seed, { canary });
    const smallest = await shrink(failed, { canary });
    expect(smallest.violation?.invariant).toBe(failed.violation.invariant);
    expect(smallest.plan.operations.length + smallest.plan.faults.length).toBeLessThan(30);
    expect(smallest.trace.length).toBeGreaterThan(0);
  }, 60_000);
});
