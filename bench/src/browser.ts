/*
 * Workflows in a browser, in IndexedDB, beside the floor: what the same browser does with the same rows and nothing
 * else, in the same run. In a context with a profile on the disk: in a private one, strict costs nothing.
 */
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright";
import { type ServedPage, servePage } from "../../scripts/serve-page.ts";
import type {} from "./browser/page.ts";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { measureRates } from "./lib/rounds.ts";
import { ratioOf, type Sample, sampleOf } from "./lib/stats.ts";
import { number, spread } from "./lib/table.ts";

const WAITING = 10_000;
const OPENINGS = 5;

/** What the units of a floor are, of which a workflow needs several. */
type Unit = "commits" | "records" | "puts";

interface Measure<Name extends string = string> {
  readonly name: Name;
  readonly title: string;
  /** Runs in the page. */
  readonly work: () => Promise<number>;
  /** What it is compared with: as much of the floor as it needs at least. */
  readonly share?: { readonly of: string; readonly unit: Unit; readonly goal?: number };
}

/** In the order of the table: each floor stands before what is compared with it. */
const MEASURES = [
  { name: "single", title: "transactions of one put", work: () => measure.singlePuts(200) },
  {
    name: "one",
    title: "3-step workflows, one at a time",
    work: () => measure.workflows(60, 1),
    share: { of: "single", unit: "commits", goal: 0.6 },
  },
  {
    name: "strictSingle",
    title: "transactions of one put, strict",
    work: () => measure.singlePuts(100, "strict"),
  },
  {
    name: "strictOne",
    title: "3-step workflows, one at a time, strict",
    work: () => measure.workflows(30, 1, "strict"),
    share: { of: "strictSingle", unit: "commits", goal: 0.6 },
  },
  { name: "batched", title: "puts, in transactions of 100", work: () => measure.batchedPuts(30) },
  {
    name: "fifty",
    title: "3-step workflows, 50 callers",
    work: () => measure.workflows(500, 50),
    share: { of: "batched", unit: "records", goal: 0.5 },
  },
  {
    name: "events",
    title: "events, to 50 instances at once",
    work: () => measure.events(50),
    share: { of: "batched", unit: "puts" },
  },
] as const satisfies readonly Measure[];
type Name = (typeof MEASURES)[number]["name"];

const machine = describeMachine();
const served = await servePage(fileURLToPath(new URL("browser", import.meta.url)));
try {
  const context = await served.openBrowser();
  const page = await open(context, served);
  const rates = await measureRates<Name>(
    MEASURES.map(({ name, work }) => ({ name, work: () => page.evaluate(work) })),
    { rounds: 9, roundMs: 300, warmUpMs: 700, seconds: "clock" },
  );
  const alone = await page.evaluate(() => measure.costOf(100, 1));
  const together = await page.evaluate(() => measure.costOf(500, 50));
  await page.evaluate((count) => measure.fill(count), WAITING);
  const opening = await measureOpening(context, served, "waiting");
  const empty = await measureOpening(context, served, "empty");

  const needed: Readonly<Record<Unit, number>> = {
    commits: alone.commits / 100,
    records: together.records / 500,
    puts: 1,
  };
  publish(
    {
      name: "browser",
      columns: [
        { title: "in Chromium, IndexedDB" },
        { title: "a second, median (all seen)", align: "right" },
        { title: "against" },
        { title: "share of the floor", align: "right" },
        { title: "goal", align: "right" },
      ],
      rows: MEASURES.map(({ name, title, ...measured }) => {
        const rate = [title, spread(rates[name])];
        if (!("share" in measured)) return [...rate, "the floor", "-", ""];
        const { of, unit, ...rest } = measured.share;
        const share = scaled(ratioOf(rates[name], rates[of]), needed[unit]);
        const against = needed[unit] === 1 ? unit : `/ ${number(needed[unit])} ${unit}`;
        return [...rate, against, spread(share), "goal" in rest ? String(rest.goal) : ""];
      }),
      notes: [
        `A workflow of 3 steps that runs alone is ${number(needed.commits)} commits: its start, and the end of each step; the last also ends the run. A step's result is acknowledged before what follows it begins, so that no step is begun twice because another was lost: fewer would take that away. It reads ${number(alone.reads / 100)} times: a start is a commit that tells whether it was the first, and the answer is at hand. With 50 callers it is ${number(needed.records)} records, rows of headers among them, in ${number((together.transactions / 500) * 100)} transactions for 100 workflows.`,
        `Opening a database with ${number(WAITING)} waiting instances (the engine, its first look at what is due, a list of 50): ${spread(opening)} ms of work of the main thread; an empty one ${spread(empty)} ms. Goal: under 500 ms.`,
        "The time is the clock's: a browser is several processes. A share is the median of the ratios of each round.",
      ],
      data: { ...rates, commits: needed.commits, records: needed.records, openingMs: opening, emptyMs: empty },
    },
    machine,
  );
} finally {
  await served.close();
}

async function open(context: BrowserContext, { url }: ServedPage): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Milliseconds in which the page's main thread was busy, each time in a page of its own. */
async function measureOpening(context: BrowserContext, at: ServedPage, database: string): Promise<Sample> {
  const values: number[] = [];
  for (let n = 0; n < OPENINGS; n++) {
    const page = await open(context, at);
    const tools = await context.newCDPSession(page);
    await tools.send("Performance.enable");
    const busy = async () => {
      const { metrics } = (await tools.send("Performance.getMetrics")) as {
        metrics: { name: string; value: number }[];
      };
      return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN) * 1_000;
    };
    const before = await busy();
    await page.evaluate((name) => measure.open(name), database);
    values.push((await busy()) - before);
    await page.close();
  }
  return sampleOf(values);
}

function scaled({ values }: Sample, by: number): Sample {
  return sampleOf(values.map((value) => value * by));
}
