import type { Task } from "./recordings.ts";

/**
 * When everything would be over if so many tasks could run at once, each began as soon as it was ready and there was a
 * place, first in first out, and nothing but the tasks took time.
 *
 * @param took how long each task runs, in any unit
 * @param rank of tasks that become ready at the same moment, the lower goes first
 * @returns the makespan in that unit
 */
export function listSchedule(
  tasks: readonly Pick<Task, "parents">[],
  took: readonly number[],
  places: number,
  rank: readonly number[] = took.map((_, task) => task),
): number {
  const children = tasks.map((): number[] => []);
  const missing = tasks.map(({ parents }) => parents.length);
  tasks.forEach(({ parents }, task) => {
    for (const parent of parents) children[parent]?.push(task);
  });
  const byRank = (one: number, other: number) => (rank[one] as number) - (rank[other] as number);
  const queue = tasks.flatMap((_, task) => (missing[task] === 0 ? [task] : [])).sort(byRank);
  const running: { readonly task: number; readonly end: number }[] = [];
  let now = 0;
  for (let ended = 0; ended < tasks.length; ) {
    while (running.length < places && queue.length > 0) {
      const task = queue.shift() as number;
      running.push({ task, end: now + (took[task] as number) });
    }
    if (running.length === 0) throw new Error("the tasks wait for one another");
    now = Math.min(...running.map(({ end }) => end));
    const over = running.filter(({ end }) => end === now);
    running.splice(0, running.length, ...running.filter(({ end }) => end !== now));
    ended += over.length;
    const ready: number[] = [];
    for (const { task } of over) {
      for (const child of children[task] ?? []) {
        missing[child] = (missing[child] as number) - 1;
        if (missing[child] === 0) ready.push(child);
      }
    }
    queue.push(...ready.sort(byRank));
  }
  return now;
}
