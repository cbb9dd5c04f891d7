/*
 * Recorded executions of real workflows, run again with their run times scaled down: how much longer they take than they
 * would if nothing but their steps took time.
 *
 *   npm run bench -- recorded
 */
import { describeMachine } from "./lib/machine.ts";
import { CASE_COLUMNS, caseCells, leastAndMedian, recordedCases, runRecorded } from "./lib/recorded-run.ts";
import { publish } from "./lib/report.ts";
import { sampleOf } from "./lib/stats.ts";
import { number } from "./lib/table.ts";

const MAKESPAN_MS = 1_000;
const PLACES = [2, 8, 32];
const ROUNDS = 5;

const machine = describeMachine();
const recorded = recordedCases(PLACES, MAKESPAN_MS);
const cases = recorded.cases.map((one) => ({ ...one, ratios: [] as number[] }));
for (let round = 0; round <= ROUNDS; round++) {
  for (const one of cases) {
    const { ratio } = await runRecorded(one);
    // The first round is the warm-up.
    if (round > 0) one.ratios.push(ratio);
  }
}

publish(
  {
    name: "recorded",
    columns: [...CASE_COLUMNS, { title: "time against the schedule, least (median)", align: "right" }],
    rows: cases.map((one) => [...caseCells(one), leastAndMedian(sampleOf(one.ratios))]),
    notes: [
      `By the clock, from start to result; scaled so that the schedule takes ${number(MAKESPAN_MS)} ms. Others on the machine delay a run and not its schedule: the least of ${ROUNDS} rounds tells of the engine.`,
      ...recorded.notes,
    ],
    data: Object.fromEntries(cases.map((one) => [`${one.graph.name}, ${one.places} at once`, sampleOf(one.ratios)])),
  },
  machine,
);
