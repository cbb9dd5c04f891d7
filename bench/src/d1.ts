/*
 * Commits to a local D1, in workerd, beside bare inserts of the same rows into the same tables.
 *
 *   npm run bench -- d1
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_dev } from "wrangler";
import type { Asked } from "./d1/asked.ts";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { type Contender, measureRates, type Rate } from "./lib/rounds.ts";
import { ratioOf } from "./lib/stats.ts";
import { spread } from "./lib/table.ts";

// The packages' sources, and no tracing of every call, which is the larger part of its cost otherwise.
process.env.WRANGLER_BUILD_CONDITIONS = "@hephaestus/source,workerd,worker,browser";
process.env.X_LOCAL_OBSERVABILITY = "false";
process.env.WRANGLER_SEND_METRICS = "false";

const machine = describeMachine();
const folder = `${import.meta.dirname}/d1`;
const worker = await unstable_dev(`${folder}/worker.ts`, {
  config: `${folder}/wrangler.jsonc`,
  persistTo: mkdtempSync(join(tmpdir(), "bench-")),
  logLevel: "error",
  experimental: { disableExperimentalWarning: true },
});
await worker.fetch("/");

function contender(how: Asked["how"], size: number, headers: boolean): Contender<Asked["how"]> {
  // Work enough for one request not to count.
  const groups = size === 1 ? 50 : 5;
  const body = JSON.stringify({ how, groups, size, headers } satisfies Asked);
  return {
    name: how,
    async work() {
      const response = await worker.fetch("/", { method: "POST", body });
      if (!response.ok) throw new Error(await response.text());
      return groups * size;
    },
  };
}

const rows: string[][] = [];
const data: Record<string, Rate> = {};
for (const headers of [false, true]) {
  for (const size of [1, 100]) {
    const rates = await measureRates([contender("commits", size, headers), contender("bare", size, headers)], {
      seconds: "clock",
      rounds: 9,
      roundMs: 500,
      warmUpMs: 500,
    });
    const name = `${size === 1 ? "singly" : `groups of ${size}`}, ${headers ? "record and header row" : "record alone"}`;
    rows.push([name, spread(rates.commits), spread(rates.bare), ratioOf(rates.commits, rates.bare).median.toFixed(2)]);
    data[`${name}, commits`] = rates.commits;
    data[`${name}, bare`] = rates.bare;
  }
}
await worker.stop();

publish(
  {
    name: "d1",
    columns: [
      { title: "local D1, by the clock" },
      { title: "commits/s", align: "right" },
      { title: "bare inserts of the same rows", align: "right" },
      { title: "ratio", align: "right" },
    ],
    rows,
    notes: [
      "In one `wrangler dev` process, local observability off. A bare group is one batch of an insert for each row.",
    ],
    data,
  },
  machine,
);
