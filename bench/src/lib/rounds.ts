import { type Sample, sampleOf } from "./stats.ts";

/** Something to be measured. */
export interface Contender<Name extends string = string> {
  readonly name: Name;
  /** Does some of the work and says how many units of it were done: workflows, transitions, commits. */
  readonly work: () => number | Promise<number>;
  /** Made ready before a round, outside of what is timed. */
  readonly prepare?: () => void | Promise<void>;
}

export interface RoundOptions {
  readonly rounds?: number;
  /** About how long one contender works in one round, in milliseconds; at least one call of `work`. */
  readonly roundMs?: number;
  /** How long each contender works first without being measured, in milliseconds. */
  readonly warmUpMs?: number;
  /**
   * Whose seconds. `cpu`, unless said otherwise: those in which this process computed, on all of its threads; beside
   * others it waits for a core most of the time, and the clock tells how busy they are. On a quiet machine the two are
   * within a few percent. `clock` for what waits for something else than a core: a disk, a browser, another process.
   */
  readonly seconds?: "cpu" | "clock";
}

/**
 * Measures contenders against one another in short, alternating rounds, each round in another order: a machine that is
 * shared gets slower and faster all the time, and so it does for all of them alike.
 * @returns units a second, by name
 */
export async function measureRates<Name extends string>(
  contenders: readonly Contender<Name>[],
  { rounds = 15, roundMs = 200, warmUpMs = 1_000, seconds = "cpu" }: RoundOptions = {},
): Promise<Record<Name, Sample>> {
  const nowMs = seconds === "cpu" ? cpuMs : () => performance.now();
  for (const contender of contenders) await rateOf(contender, warmUpMs, nowMs);
  const values = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      values.get(contender.name)?.push(await rateOf(contender, roundMs, nowMs));
    }
  }
  return Object.fromEntries([...values].map(([name, rates]) => [name, sampleOf(rates)])) as Record<Name, Sample>;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function rateOf({ work, prepare }: Contender, forMs: number, nowMs: () => number): Promise<number> {
  await prepare?.();
  // Garbage of the one before is not this one's cost; needs `node --expose-gc`.
  globalThis.gc?.();
  const begun = nowMs();
  let units = 0;
  let usedMs = 0;
  // To ask for the time takes some of it: as often as there is a hundredth of a round to be told of.
  for (let calls = 1; usedMs < forMs || usedMs === 0; ) {
    for (let call = 0; call < calls; call++) {
      const done = work();
      units += typeof done === "number" ? done : await done;
    }
    const before = usedMs;
    usedMs = nowMs() - begun;
    if (usedMs - before < forMs / 100) calls *= 2;
  }
  return (units * 1_000) / usedMs;
}
