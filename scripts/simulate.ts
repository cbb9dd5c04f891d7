/*
 * Runs the simulator on random workflows: see USAGE.
 *
 * Exits with 1 when an invariant broke, when a canary lived, and (from a thousand seeds on) when something that the
 * simulator says it tests was never met.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import {
  CANARIES,
  type Canary,
  type Coverage,
  neverMet,
  type Plan,
  type SimulationResult,
  shrink,
  simulate,
} from "../core/src/testing/simulation/index.ts";
import { prepare } from "./simulate-seeds.ts";
import { runOnThreads } from "./simulate-threads.ts";

const USAGE = `npm run simulate -- [--seeds 1000] [--seed 1] [--jobs 1] [--shrink]
npm run simulate -- --canary name|all [--seed 1] [--shrink]
npm run simulate -- --plan core/src/testing/simulation/regressions/x.json

  --seeds   how many random workflows are run, one for each seed
  --seed    the first seed
  --jobs    on how many threads; "all" is one for each processor
  --shrink  makes the plan of what fails as small as it goes
  --canary  breaks something on purpose, which must be caught
  --plan    runs a plan from a file

TRACE_LINES=100000 shows all of the trace of what fails, and not its last 60 lines.`;

/** From so many seeds on, everything that is to be met must have been. */
const SEEDS_FOR_COVERAGE = 1_000;
/** A canary lives no longer than so many seeds. */
const CANARY_SEEDS_MAX = 1_000;
/** As many lines of the trace as one looks at. */
const TRACE_LINES = Number(process.env.TRACE_LINES ?? 60);
/** So often it is told how far it is. */
const SEEDS_PER_LINE = 10_000;

const asked = readOptions(process.argv.slice(2));

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: "string", default: "1000" },
        seed: { type: "string", default: "1" },
        jobs: { type: "string", default: "1" },
        shrink: { type: "boolean", default: false },
        canary: { type: "string" },
        plan: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) end(USAGE, 0);
    const { canary } = values;
    if (canary !== undefined && canary !== "all" && !Object.hasOwn(CANARIES, canary))
      throw new Error(`there is no canary ${canary}: ${Object.keys(CANARIES).join(", ")}`);
    return {
      ...values,
      seeds: toCount("seeds", values.seeds, 1),
      seed: toCount("seed", values.seed, 0),
      jobs: values.jobs === "all" ? availableParallelism() : toCount("jobs", values.jobs, 1),
    };
  } catch (error) {
    return end(`${(error as Error).message}\n\n${USAGE}`, 2);
  }
}

function toCount(name: string, text: string, least: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= least) return count;
  throw new Error(`--${name} is a whole number from ${least}, not ${text}`);
}

function end(message: string, code: number): never {
  (code === 0 ? console.log : console.error)(message);
  process.exit(code);
}

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

async function runAll(): Promise<boolean> {
  const { seed: first, seeds: count, jobs } = asked;
  const startedAt = performance.now();
  let lines = 0;
  const tally = await runOnThreads({ first, count }, jobs, (done) => {
    if (Math.floor(done / SEEDS_PER_LINE) === lines) return;
    lines = Math.floor(done / SEEDS_PER_LINE);
    console.log(`${done} seeds, ${rate(done, startedAt)} seeds/s`);
  });
  if (tally.failed) {
    const { seed, why } = tally.failed;
    if (why === undefined) await report(await simulate(seed));
    else console.log(`seed ${seed}: ${why}`);
    return false;
  }
  printTable(tally.coverage);
  const missing = count < SEEDS_FOR_COVERAGE ? [] : neverMet(tally.coverage);
  if (missing.length > 0) console.log(`never met: ${missing.join(", ")}`);
  const each = `${Math.round(tally.picks / count)} picks and ${(tally.faults / count).toFixed(1)} faults each`;
  const told = `${count} seeds from ${first} clean: ${rate(count, startedAt)} seeds/s, ${each}`;
  console.log(`${told}, hash ${tally.hash.toString(16)}, ${describeRun(startedAt, jobs)}`);
  return missing.length === 0;
}

/** On what it ran: with it, the line that says what was found can be quoted. */
function describeRun(startedAt: number, jobs: number): string {
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const time = seconds < 100 ? `${seconds} s` : `${(seconds / 60).toFixed(1)} min`;
  const processors = `${cpus().length} × ${cpus()[0]?.model.trim() ?? process.arch}`;
  const at = new Date().toISOString().slice(0, 16).replace("T", " ");
  return `${time} on ${jobs} of ${processors}, Node ${process.versions.node}, ${commit()}, ${at} UTC`;
}

/** Of the code that ran. */
function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const changed = git("status", "--porcelain", "--untracked-files=no").trim();
    return `commit ${git("rev-parse", "--short", "HEAD").trim()}${changed ? " and changes" : ""}`;
  } catch {
    return "no commit";
  }
}

function rate(seeds: number, startedAt: number): number {
  return Math.round((seeds * 1_000) / (performance.now() - startedAt));
}

async function runCanary(name: string): Promise<boolean> {
  const canary = CANARIES[name] as Canary;
  const { seed: first } = asked;
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
  if (asked.canary === undefined) return runAll();
  let all = true;
  for (const name of asked.canary === "all" ? Object.keys(CANARIES) : [asked.canary])
    all = (await runCanary(name)) && all;
  return all;
}

prepare();
process.exitCode = (await main()) ? 0 : 1;
