import {
  addCoverage,
  type Coverage,
  emptyCoverage,
  type SimulationResult,
  simulate,
} from "../core/src/testing/simulation/index.ts";

/** Seeds that follow one another. */
export interface Seeds {
  readonly first: number;
  readonly count: number;
}

/** What running some seeds has shown. */
export interface Tally {
  readonly count: number;
  readonly picks: number;
  readonly faults: number;
  /** Of every seed's trace, in order. */
  readonly hash: number;
  readonly coverage: Coverage;
  /** The seed at which it ended; without `why` an invariant broke there. */
  readonly failed?: { readonly seed: number; readonly why?: string };
}

const OPERATIONS_MIN = 50;
const WORKERS_MIN = 2;
const FAULTS_MIN = 5;

let stray: unknown;

/** Simulates each seed, until one fails. */
export async function runSeeds({ first, count }: Seeds): Promise<Tally> {
  const coverage = emptyCoverage();
  let picks = 0;
  let faults = 0;
  let hash = 0;
  for (let done = 0; done < count; done++) {
    const seed = first + done;
    const result = await simulate(seed);
    const tally = { count: done, picks, faults, hash, coverage };
    if (result.violation) return { ...tally, failed: { seed } };
    const why = tooLittle(result) ?? (stray === undefined ? undefined : `a rejection that nobody handled: ${stray}`);
    if (why !== undefined) return { ...tally, failed: { seed, why } };
    addCoverage(coverage, result.coverage);
    picks += result.picks;
    faults += result.faults;
    hash = (Math.imul(hash, HASH_FACTOR) + result.hash) >>> 0;
  }
  return { count, picks, faults, hash, coverage };
}

/** What a seed must do at least, and did not. */
function tooLittle({ operations, workers, faults }: SimulationResult): string | undefined {
  if (operations >= OPERATIONS_MIN && workers >= WORKERS_MIN && faults >= FAULTS_MIN) return undefined;
  return `only ${operations} operations on ${workers} workers with ${faults} faults`;
}

export const EMPTY_TALLY: Tally = { count: 0, picks: 0, faults: 0, hash: 0, coverage: emptyCoverage() };

const HASH_FACTOR = 31;

/** The tally of some seeds and of those that follow them, as if they had been run in one go. */
export function addTally(one: Tally, next: Tally): Tally {
  const coverage = emptyCoverage();
  addCoverage(coverage, one.coverage);
  addCoverage(coverage, next.coverage);
  let { hash } = one;
  for (let seed = 0; seed < next.count; seed++) hash = Math.imul(hash, HASH_FACTOR);
  return {
    count: one.count + next.count,
    picks: one.picks + next.picks,
    faults: one.faults + next.faults,
    hash: (hash + next.hash) >>> 0,
    coverage,
    ...(next.failed ? { failed: next.failed } : {}),
  };
}

/** Makes this thread ready to run seeds. */
export function prepare(): void {
  // Nobody looks at the stacks of the errors that are part of the plan; what is reported is run again.
  Error.stackTraceLimit = 0;
  process.on("unhandledRejection", (reason) => {
    stray ??= reason;
  });
}
