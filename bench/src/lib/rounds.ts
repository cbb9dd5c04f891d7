import { type Sample, sampleOf } from "./stats.ts";

/** Something to be measured. */
export interface Contender<Name extends string = string> {
  readonly name: Name;
  /** Does some of the work and says how many units of it were done: workflows, transitions, commits. */
  readonly work: () => number | Promise<number>;
  /** Made ready before a round, outside of what is timed. */
  readonly prepare?: () => void | Promise<void>;
  /** Puts away after a round what `prepare` made. */
  readonly tidy?: () => void | Promise<void>;
}

export interface RoundOptions {
  readonly rounds?: number;
  /** About how long one contender works in one round, in milliseconds; at least one call of `work`. */
  readonly roundMs?: number;
  /** How long each contender works first without being measured, in milliseconds. */
  readonly warmUpMs?: number;
  /**
   * Whose seconds. `thread`, unless said otherwise: those in which the program's thread computed; beside others it waits
   * for a core most of the time, and the clock tells how busy they are. `clock` for what waits for something else than a
   * core: a disk, a browser, another process.
   */
  readonly seconds?: "thread" | "clock";
}

/** Units a second. */
export interface Rate extends Sample {
  /** The same rounds by the clock, whatever the seconds are. */
  readonly byClock: Sample;
}

/**
 * Measures contenders against one another in short, alternating rounds, each round in another order: a machine that is
 * shared gets slower and faster all the time, and so it does for all of them alike.
 */
export async function measureRates<Name extends string>(
  contenders: readonly Contender<Name>[],
  { rounds = 11, roundMs = 400, warmUpMs = 1_000, seconds = "thread" }: RoundOptions = {},
): Promise<Record<Name, Rate>> {
  const now = seconds === "thread" ? threadMs : clockMs;
  for (const contender of contenders) await runFor(contender, warmUpMs, now);
  const seen = new Map(contenders.map(({ name }) => [name, { rates: [] as number[], byClock: [] as number[] }]));
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const { units, usedMs, tookMs } = await runFor(contender, roundMs, now);
      seen.get(contender.name)?.rates.push((units * 1_000) / usedMs);
      seen.get(contender.name)?.byClock.push((units * 1_000) / tookMs);
    }
  }
  const rates = [...seen].map(([name, { rates, byClock }]) => {
    return [name, { ...sampleOf(rates), byClock: sampleOf(byClock) }];
  });
  return Object.fromEntries(rates) as Record<Name, Rate>;
}

const clockMs = () => performance.now();

/** The collector's own threads are not in it, as they run beside the program's on a machine with a core to spare. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

async function runFor({ work, prepare, tidy }: Contender, forMs: number, now: () => number) {
  await prepare?.();
  // Garbage of the one before is not this one's cost; needs `node --expose-gc`. A full collection would also forget what
  // the compiler has learned, and every round would measure how it is learned again.
  globalThis.gc?.({ type: "minor" });
  const begun = now();
  const begunAt = clockMs();
  let units = 0;
  let usedMs = 0;
  // To ask for the time takes some of it: as often as there is a hundredth of a round to be told of.
  for (let calls = 1; usedMs < forMs || usedMs === 0; ) {
    for (let call = 0; call < calls; call++) {
      const done = work();
      units += typeof done === "number" ? done : await done;
    }
    const before = usedMs;
    usedMs = now() - begun;
    if (usedMs - before < forMs / 100) calls *= 2;
  }
  const tookMs = clockMs() - begunAt;
  await tidy?.();
  return { units, usedMs, tookMs };
}
