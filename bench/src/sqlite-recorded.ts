/*
 * The recorded workflows of `recorded.ts` in a SQLite file, beside the same in memory in the same rounds.
 *
 *   npm run bench -- sqlite-recorded
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStorage } from "@hephaestus/sqlite/node";
import { describeMachine } from "./lib/machine.ts";
import {
  CASE_COLUMNS,
  caseCells,
  leastAndMedian,
  type RecordedCase,
  recordedCases,
  runRecorded,
} from "./lib/recorded-run.ts";
import { publish } from "./lib/report.ts";
import { ratioOf, sampleOf } from "./lib/stats.ts";
import { number } from "./lib/table.ts";

const MAKESPAN_MS = 1_000;
const PLACES = [8];
const ROUNDS = 5;

async function runInFile(one: RecordedCase) {
  const fileName = join(mkdtempSync(join(tmpdir(), "bench-")), "bench.db");
  const storage = sqliteStorage(fileName, { synchronous: "FULL" });
  const ran = await runRecorded(one, storage);
  await storage.close();
  return ran;
}

const machine = describeMachine();
const recorded = recordedCases(PLACES, MAKESPAN_MS);
const cases = recorded.cases.map((one) => ({
  ...one,
  ratios: [] as number[],
  ms: [] as number[],
  memoryMs: [] as number[],
}));
for (let round = 0; round <= ROUNDS; round++) {
  for (const one of cases) {
    const inMemory = await runRecorded(one);
    const inFile = await runInFile(one);
    // The first round is the warm-up.
    if (round === 0) continue;
    one.ratios.push(inFile.ratio);
    one.ms.push(inFile.ms);
    one.memoryMs.push(inMemory.ms);
  }
}

publish(
  {
    name: "sqlite-recorded",
    columns: [
      ...CASE_COLUMNS,
      { title: "in a file, against the schedule, least (median)", align: "right" },
      { title: "against memory, least (median)", align: "right" },
    ],
    rows: cases.map((one) => [
      ...caseCells(one),
      leastAndMedian(sampleOf(one.ratios)),
      leastAndMedian(ratioOf(sampleOf(one.ms), sampleOf(one.memoryMs))),
    ]),
    notes: [
      `In a file with FULL, by the clock, from start to result, scaled so that the schedule takes ${number(MAKESPAN_MS)} ms; each run in a new file. A commit that waits for the disk holds the process: it makes the timers of steps late, which the schedule has too, and the run in memory of the same round has not.`,
      ...recorded.notes,
    ],
    data: Object.fromEntries(
      cases.flatMap((one) => [
        [`${one.graph.name}, ${one.places} at once, against the schedule`, sampleOf(one.ratios)],
        [`${one.graph.name}, ${one.places} at once, against memory`, ratioOf(sampleOf(one.ms), sampleOf(one.memoryMs))],
      ]),
    ),
  },
  machine,
);
