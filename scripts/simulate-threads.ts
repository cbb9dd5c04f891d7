import { Worker } from "node:worker_threads";
import { addTally, EMPTY_TALLY, runSeeds, type Seeds, type Tally } from "./simulate-seeds.ts";

/** So many seeds are handed out at once: few enough that all threads end at about the same time. */
const SEEDS_AT_ONCE = 500;

/** Runs a piece of the seeds. */
type Run = (seeds: Seeds) => Promise<Tally>;

/**
 * Runs seeds on so many threads; the first that fails ends all. What it answers does not depend on how many there are.
 * @param told of the seeds done so far, whenever a piece of them is
 */
export async function runOnThreads(all: Seeds, jobs: number, told: (done: number) => void): Promise<Tally> {
  const pieces = toPieces(all);
  const tallies: Tally[] = [];
  let next = 0;
  let done = 0;
  let failed: Tally | undefined;

  async function work(run: Run): Promise<void> {
    while (next < pieces.length && failed === undefined) {
      const index = next++;
      const tally = await run(pieces[index] as Seeds);
      tallies[index] = tally;
      if (tally.failed) failed ??= tally;
      done += tally.count;
      told(done);
    }
  }

  if (jobs === 1) await work(runSeeds);
  else {
    const threads = Array.from({ length: Math.min(jobs, pieces.length) }, startThread);
    const working = Promise.all(threads.map(({ run }) => work(run)));
    const isFailed = Promise.race(threads.map(({ broken }) => broken));
    await Promise.race([working, isFailed]);
    await Promise.all(threads.map(({ end }) => end()));
  }
  return failed ?? tallies.reduce(addTally, EMPTY_TALLY);
}

function toPieces({ first, count }: Seeds): Seeds[] {
  return Array.from({ length: Math.ceil(count / SEEDS_AT_ONCE) }, (_, index) => {
    const before = index * SEEDS_AT_ONCE;
    return { first: first + before, count: Math.min(SEEDS_AT_ONCE, count - before) };
  });
}

/** One piece at a time is under way in a thread. */
function startThread() {
  const worker = new Worker(new URL("./simulate-worker.ts", import.meta.url));
  let answer: (tally: Tally) => void = () => {};
  worker.on("message", (tally: Tally) => answer(tally));
  return {
    run: (seeds: Seeds) =>
      new Promise<Tally>((resolve) => {
        answer = resolve;
        worker.postMessage(seeds);
      }),
    /** Rejects when the thread itself fails. */
    broken: new Promise<never>((_, reject) => worker.once("error", reject)),
    end: () => worker.terminate(),
  };
}
