/*
 * Runs the simulator on random workflows: npm run simulate -- --seeds 1000 [--seed 1] [--shrink] [--canary name|all]
 *                                        npm run simulate -- --plan core/src/testing/simulation/regressions/x.json
 *
 * Exits with 1 when an invariant broke, when a canary lived, and (from a thousand seeds on) when something that the
 * simulator says it tests was never met.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  addCoverage,
  CANARIES,
  type Canary,
  type Coverage,
  emptyCoverage,
  neverMet,
  type Plan,
  type SimulationResult,
  shrink,
  simulate,
} from "../core/src/testing/simulation/index.ts";

const { values: asked } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    shrink: { type: "boolean", default: false },
    canary: { type: "string" },
    plan: { type: "string" },
  },
});

/** From so many seeds on, everything that is to be met must have been. */
const SEEDS_FOR_COVERAGE = 1_000;
const OPERATIONS_MIN = 50;
const WORKERS_MIN = 2;
const FAULTS_MIN = 5;
/** A canary lives no longer than so many seeds. */
const CANARY_SEEDS_MAX = 1_000;
/** As many lines of the trace as one looks at; TRACE_LINES=100000 for all of them. */
const TRACE_LINES = Number(process.env.TRACE_LINES ?? 60);

const first = Number(asked.seed);
const count = Number(asked.seeds);
let stray: unknown;

process.on("unhandledRejection", (reason) => {
  stray ??= reason;
});
// Nobody looks at the stacks of the errors that are part of the plan; what is reported is run again.
Error.stackTraceLimit = 0;

async function report(failed: SimulationResult, canary?: Canary): Promise<void> {
  const options = canary ? { canary } : {};
  Error.stackTraceLimit = 20;
  const smaller = asked.shrink
    ? await shrink(failed, options)
    : await simulate(failed.plan, { ...options, keepsTrace: true });
  const { plan, violation, trace } = smaller;
  console.log(trace.slice(-TRACE_LINES).join("\n"));
  console.log(asked.shrink ? JSON.stringify(plan) : `npm run simulate -- --seed ${plan.seed} --seeds 1 --shrink`);
  console.log(`seed ${plan.seed}: ${plan.operations.length} operations, ${plan.faults.length} planned faults`);
  console.log(violation?.stack ?? violation?.message);
}

function printTable(coverage: Coverage): void {
  for (const [group, counts] of Object.entries(coverage) as [string, Map<string, number>][]) {
    const sorted = [...counts].sort(([, one], [, other]) => other - one);
    console.log(`${group.padEnd(9)} ${sorted.map(([name, times]) => `${name} ${times}`).join(", ")}`);
  }
}

/** What a seed must do at least, and did not. */
function tooLittle({ operations, workers, faults, plan }: SimulationResult): string | undefined {
  if (operations >= OPERATIONS_MIN && workers >= WORKERS_MIN && faults >= FAULTS_MIN) return undefined;
  return `seed ${plan.seed} had ${operations} operations on ${workers} workers with ${faults} faults`;
}

async function runSeeds(): Promise<boolean> {
  const coverage = emptyCoverage();
  const startedAt = performance.now();
  let picks = 0;
  let faults = 0;
  let hash = 0;
  for (let done = 0; done < count; done++) {
    const result = await simulate(first + done);
    if (result.violation) {
      await report(result);
      return false;
    }
    const little = tooLittle(result);
    if (little !== undefined || stray !== undefined) {
      console.log(little ?? `seed ${first + done}: a rejection that nobody handled: ${stray}`);
      return false;
    }
    addCoverage(coverage, result.coverage);
    picks += result.picks;
    faults += result.faults;
    hash = (Math.imul(hash, 31) + result.hash) >>> 0;
    if ((done + 1) % 10_000 === 0) console.log(`${done + 1} seeds, ${rate(done + 1, startedAt)} seeds/s`);
  }
  printTable(coverage);
  const each = `${Math.round(picks / count)} picks and ${(faults / count).toFixed(1)} faults each`;
  console.log(
    `${count} seeds from ${first} clean: ${rate(count, startedAt)} seeds/s, ${each}, hash ${hash.toString(16)}`,
  );
  const missing = neverMet(coverage);
  if (missing.length === 0 || count < SEEDS_FOR_COVERAGE) return true;
  console.log(`never met: ${missing.join(", ")}`);
  return false;
}

function rate(seeds: number, startedAt: number): number {
  return Math.round((seeds * 1_000) / (performance.now() - startedAt));
}

async function runCanary(name: string): Promise<boolean> {
  const canary = CANARIES[name];
  if (canary === undefined) throw new Error(`there is no canary ${name}: ${Object.keys(CANARIES).join(", ")}`);
  for (let seed = first; seed < first + CANARY_SEEDS_MAX; seed++) {
    const result = await simulate(seed, { canary });
    if (result.violation === undefined) continue;
    console.log(
      `${name} (${canary.broken}): caught by seed ${seed} after ${seed - first + 1}: ${result.violation.invariant}`,
    );
    if (asked.shrink) await report(result, canary);
    return true;
  }
  console.log(`${name} (${canary.broken}): lives after ${CANARY_SEEDS_MAX} seeds`);
  return false;
}

async function runPlan(path: string): Promise<boolean> {
  const result = await simulate(JSON.parse(readFileSync(path, "utf8")) as Plan);
  if (result.violation) await report(result);
  else console.log(`${path} is clean`);
  return result.violation === undefined;
}

async function main(): Promise<boolean> {
  if (asked.plan !== undefined) return runPlan(asked.plan);
  if (asked.canary === undefined) return runSeeds();
  let all = true;
  for (const name of asked.canary === "all" ? Object.keys(CANARIES) : [asked.canary])
    all = (await runCanary(name)) && all;
  return all;
}

process.exitCode = (await main()) ? 0 : 1;
