/*
 * Recorded executions of real workflows, run again with their run times scaled down: how much longer they take than they
 * would if nothing but their steps took time.
 *
 *   npm run bench -- recorded
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createHephaestus } from "@hephaestus/core";
import { listSchedule } from "./lib/list-schedule.ts";
import { describeMachine } from "./lib/machine.ts";
import { readRecordings, smallGraph, type TaskGraph, workflowOf } from "./lib/recordings.ts";
import { publish } from "./lib/report.ts";
import { type Sample, sampleOf } from "./lib/stats.ts";
import { number } from "./lib/table.ts";

/** The recorded times are scaled so that the schedule without overhead takes this long. */
const MAKESPAN_MS = 1_000;
const PLACES = [2, 8, 32];
const ROUNDS = 5;

interface Case {
  readonly graph: TaskGraph;
  readonly places: number;
  readonly scaledMs: readonly number[];
  readonly ratios: number[];
}

/**
 * @returns the time from the start to the result, against the schedule of steps that took as long as these did: a timer
 * that is late makes a step longer, not the engine slower
 */
async function runOnce({ graph, places, scaledMs }: Case): Promise<number> {
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
  const engine = createHephaestus({ workflows: [flow], local: { concurrency: places } });
  globalThis.gc?.({ type: "minor" });
  const at = performance.now();
  const { result } = await engine.start("recorded", null);
  await result();
  const makespan = performance.now() - at;
  await engine.close();
  return makespan / listSchedule(graph.tasks, took, places, rank);
}

const machine = describeMachine();
const recordings = readRecordings();
const graphs = [smallGraph(), ...(recordings ?? [])];
const cases = graphs.flatMap((graph) =>
  PLACES.map((places): Case => {
    const seconds = graph.tasks.map((task) => task.seconds);
    const scale = MAKESPAN_MS / listSchedule(graph.tasks, seconds, places);
    return { graph, places, scaledMs: seconds.map((one) => one * scale), ratios: [] };
  }),
);
for (let round = 0; round <= ROUNDS; round++) {
  for (const one of cases) {
    const ratio = await runOnce(one);
    // The first round is the warm-up.
    if (round > 0) one.ratios.push(ratio);
  }
}

const meanMs = ({ scaledMs }: Case) => scaledMs.reduce((sum, ms) => sum + ms, 0) / scaledMs.length;
const seen = (sample: Sample) => `${sample.low.toFixed(3)} (${sample.median.toFixed(3)})`;

publish(
  {
    name: "recorded",
    columns: [
      { title: "workflow" },
      { title: "steps", align: "right" },
      { title: "at once", align: "right" },
      { title: "mean step, ms", align: "right" },
      { title: "time against the schedule, least (median)", align: "right" },
    ],
    rows: cases.map((one) => [
      one.graph.name,
      String(one.graph.tasks.length),
      String(one.places),
      number(meanMs(one)),
      seen(sampleOf(one.ratios)),
    ]),
    notes: [
      `By the clock, from start to result; scaled so that the schedule takes ${number(MAKESPAN_MS)} ms. Others on the machine delay a run and not its schedule: the least of ${ROUNDS} rounds tells of the engine.`,
      ...(recordings ? [] : ["The recordings are not here (../shared/wfinstances): only our own small graph ran."]),
    ],
    data: Object.fromEntries(cases.map((one) => [`${one.graph.name}, ${one.places} at once`, sampleOf(one.ratios)])),
  },
  machine,
);
