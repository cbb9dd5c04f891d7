import { setTimeout as sleep } from "node:timers/promises";
import { createHephaestus, type Storage } from "@hephaestus/core";
import { listSchedule } from "./list-schedule.ts";
import { readRecordings, smallGraph, type TaskGraph, workflowOf } from "./recordings.ts";
import type { Sample } from "./stats.ts";
import { type Column, number } from "./table.ts";

/** A recorded workflow that is to be run again. */
export interface RecordedCase {
  readonly graph: TaskGraph;
  /** How many steps run at once. */
  readonly places: number;
  /** How long each step runs. */
  readonly scaledMs: readonly number[];
}

/**
 * The small graph of our own and all recordings that are there.
 *
 * @param makespanMs the recorded times are scaled so that the schedule without overhead takes this long
 */
export function recordedCases(places: readonly number[], makespanMs: number) {
  const recordings = readRecordings();
  const cases = [smallGraph(), ...(recordings ?? [])].flatMap((graph) =>
    places.map((places): RecordedCase => {
      const seconds = graph.tasks.map((task) => task.seconds);
      const scale = makespanMs / listSchedule(graph.tasks, seconds, places);
      return { graph, places, scaledMs: seconds.map((one) => one * scale) };
    }),
  );
  const notes = recordings
    ? []
    : ["The recordings are not here (../shared/wfinstances): only our own small graph ran."];
  return { cases, notes };
}

/**
 * Runs one from the start to the result.
 *
 * @returns how long it took, and that against the schedule of steps that took as long as these did: a timer that is late
 * makes a step longer, not the engine slower
 */
export async function runRecorded({ graph, places, scaledMs }: RecordedCase, storage?: Storage) {
  const took: number[] = graph.tasks.map(() => 0);
  const rank: number[] = graph.tasks.map(() => 0);
  let begun = 0;
  const flow = workflowOf(graph, async (task) => {
    rank[task] = begun++;
    const ms = scaledMs[task] as number;
    if (ms === 0) return;
    const at = performance.now();
    await sleep(ms);
    took[task] = performance.now() - at;
  });
  const options = { workflows: [flow], local: { concurrency: places } };
  const engine = createHephaestus(storage ? { ...options, storage } : options);
  globalThis.gc?.({ type: "minor" });
  const at = performance.now();
  const { result } = await engine.start("recorded", null);
  await result();
  const ms = performance.now() - at;
  await engine.close();
  return { ms, ratio: ms / listSchedule(graph.tasks, took, places, rank) };
}

/** The columns of a table that say which case a row is of. */
export const CASE_COLUMNS: readonly Column[] = [
  { title: "workflow" },
  { title: "steps", align: "right" },
  { title: "at once", align: "right" },
  { title: "mean step, ms", align: "right" },
];

export function caseCells({ graph, places, scaledMs }: RecordedCase): string[] {
  const meanMs = scaledMs.reduce((sum, ms) => sum + ms, 0) / scaledMs.length;
  return [graph.name, String(graph.tasks.length), String(places), number(meanMs)];
}

/** Others on the machine delay a run and not its schedule: the least of some rounds tells of the engine. */
export const leastAndMedian = ({ low, median }: Sample) => `${low.toFixed(3)} (${median.toFixed(3)})`;
