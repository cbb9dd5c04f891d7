import type { Operation, Plan } from "./plan.ts";
import { type SimulationOptions, type SimulationResult, simulate } from "./simulate.ts";

/** A plan is run at most so often while it is made smaller. */
const RUNS_MAX = 400;

/**
 * Takes from a failing plan what its failure does not need: faults first, then operations, many at once and then fewer
 * (delta debugging). What is left still breaks the same invariant.
 * @returns the smallest plan found, as it failed
 */
export async function shrink(failed: SimulationResult, options: SimulationOptions = {}): Promise<SimulationResult> {
  const { violation } = failed;
  if (violation === undefined) return failed;
  let best = failed;
  let runs = 0;

  async function fails(plan: Plan): Promise<boolean> {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const result = await simulate(plan, { ...options, keepsTrace: false });
    if (result.violation?.invariant !== violation?.invariant) return false;
    best = result;
    return true;
  }

  for (let size = -1; size !== sizeOf(best.plan) && runs < RUNS_MAX; ) {
    size = sizeOf(best.plan);
    await fails(withoutExtras(best.plan));
    await fails(withoutEdition(best.plan));
    await reduce(
      () => best.plan.faults.length,
      (from, to) => fails({ ...best.plan, faults: cut(best.plan.faults, from, to) }),
    );
    await reduce(
      () => best.plan.operations.length,
      (from, to) => fails({ ...best.plan, operations: cutOperations(best.plan.operations, from, to) }),
    );
  }
  return simulate(best.plan, { ...options, keepsTrace: true });
}

function sizeOf({ operations, faults }: Plan): number {
  return operations.length + faults.length;
}

/** What most failures do not need. */
function withoutExtras(plan: Plan): Plan {
  const { settings } = plan;
  const skewsMs = settings.skewsMs.map(() => 0);
  return { ...plan, settings: { ...settings, slowCalls: 0, skewsMs, subscribes: false, leaps: false } };
}

/** All workers have the same code. */
function withoutEdition({ edition: _edition, ...plan }: Plan): Plan {
  return plan;
}

/** Tries to take out pieces of a list, halves first and single elements last. */
async function reduce(length: () => number, remove: (from: number, to: number) => Promise<boolean>): Promise<void> {
  for (let piece = Math.ceil(length() / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let from = length() - piece; from > -piece; from -= piece) {
      await remove(Math.max(from, 0), Math.max(from, 0) + piece);
    }
  }
}

function cut<T>(list: readonly T[], from: number, to: number): T[] {
  return list.filter((_, index) => index < from || index >= to);
}

/** The time that the operations would have taken passes all the same. */
function cutOperations(operations: readonly Operation[], from: number, to: number): Operation[] {
  const passed = operations.slice(from, to).reduce((sum, { afterMs }) => sum + afterMs, 0);
  const [next, ...rest] = operations.slice(to);
  const kept = operations.slice(0, from);
  return next === undefined ? kept : [...kept, { ...next, afterMs: next.afterMs + passed }, ...rest];
}
