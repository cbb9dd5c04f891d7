import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Machine } from "./machine.ts";
import type { Sample } from "./stats.ts";
import { type Column, markdownTable, replaceBetween } from "./table.ts";

const README = new URL("../../README.md", import.meta.url);
const RESULTS = new URL("../../results/", import.meta.url);

/** What a program measured. */
export interface Report {
  /** Names the markers in the README, `<!-- bench:name -->`, and the file in `results/`. */
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  /** Said under the table, one line each: what to know when reading it. */
  readonly notes?: readonly string[];
  /** Every number behind the table. */
  readonly data: Readonly<Record<string, Sample | number>>;
}

/**
 * Prints what was measured; with `--write` also puts it into `bench/README.md` between the markers of its name, and into
 * `bench/results/<name>.json`, so that no number there was ever typed by hand.
 * @param machine described before the measurement, since that is a load of its own
 */
export function publish({ name, columns, rows, notes = [], data }: Report, machine: Machine): void {
  const text = [markdownTable(columns, rows), "", ...notes.map((note) => `- ${note}`), `- ${sentence(machine)}`].join(
    "\n",
  );
  console.log(`${text}\n`);
  if (!process.argv.includes("--write")) return;
  writeFileSync(README, replaceBetween(readFileSync(README, "utf8"), `bench:${name}`, text));
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(new URL(`${name}.json`, RESULTS), `${JSON.stringify({ machine, data }, undefined, 2)}\n`);
}

function sentence({ cpu, cores, memoryGb, runtime, measuredAt, commit, load }: Machine): string {
  return `${measuredAt} UTC, commit ${commit}, ${runtime}, ${cpu}, ${cores} cores, ${memoryGb} GB, load before ${load}.`;
}
