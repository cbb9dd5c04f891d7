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

const machine = describeMachine();
const served = await servePage(fileURLToPath(new URL("browser", import.meta.url)));
try {
  const context = await served.openBrowser();
  const page = await open(context, served);
  const rates = await measureRates(
    [
      { name: "single", work: () => page.evaluate(() => measure.singlePuts(200)) },
      { name: "one", work: () => page.evaluate(() => measure.workflows(60, 1)) },
      { name: "batched", work: () => page.evaluate(() => measure.batchedPuts(30)) },
      { name: "fifty", work: () => page.evaluate(() => measure.workflows(500, 50)) },
      { name: "events", work: () => page.evaluate(() => measure.events(50)) },
      { name: "strictSingle", work: () => page.evaluate(() => measure.singlePuts(100, "strict")) },
      { name: "strictOne", work: () => page.evaluate(() => measure.workflows(30, 1, "strict")) },
    ],
    { rounds: 9, roundMs: 300, warmUpMs: 700, seconds: "clock" },
  );
  const alone = await page.evaluate(() => measure.costOf(100, 1));
  const together = await page.evaluate(() => measure.costOf(500, 50));
  await page.evaluate((count) => measure.fill(count), WAITING);
  const opening = await measureOpening(context, served, "waiting");
  const empty = await measureOpening(context, served, "empty");

  const commits = alone.commits / 100;
  const records = together.records / 500;
  const perCommit = (sample: Sample, floor: Sample) => scaled(ratioOf(sample, floor), commits);
  const row = (name: string, sample: Sample, floor: string, share: Sample | undefined, goal: string) => [
    name,
    spread(sample),
    floor,
    share ? spread(share) : "-",
    goal,
  ];
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
      rows: [
        row("transactions of one put", rates.single, "the floor", undefined, ""),
        row(
          "3-step workflows, one at a time",
          rates.one,
          `/ ${number(commits)} commits`,
          perCommit(rates.one, rates.single),
          "0.6",
        ),
        row("transactions of one put, strict", rates.strictSingle, "the floor", undefined, ""),
        row(
          "3-step workflows, one at a time, strict",
          rates.strictOne,
          `/ ${number(commits)} commits`,
          perCommit(rates.strictOne, rates.strictSingle),
          "0.6",
        ),
        row("puts, in transactions of 100", rates.batched, "the floor", undefined, ""),
        row(
          "3-step workflows, 50 callers",
          rates.fifty,
          `/ ${number(records)} records`,
          scaled(ratioOf(rates.fifty, rates.batched), records),
          "0.5",
        ),
        row("events, to 50 instances at once", rates.events, "puts in 100s", ratioOf(rates.events, rates.batched), ""),
      ],
      notes: [
        `A workflow of 3 steps that runs alone is ${number(commits)} commits: its start, and the end of each step; the last also ends the run. A step's result is acknowledged before what follows it begins, so that no step is begun twice because another was lost: fewer would take that away. It reads ${number(alone.reads / 100)} times: a start is a commit that tells whether it was the first, and the answer is at hand. With 50 callers it is ${number(records)} records, rows of headers among them, in ${number((together.transactions / 500) * 100)} transactions for 100 workflows.`,
        `Opening a database with ${number(WAITING)} waiting instances (the engine, its first look at what is due, a list of 50): ${spread(opening)} ms of work of the main thread; an empty one ${spread(empty)} ms. Goal: under 500 ms.`,
        "The time is the clock's: a browser is several processes. A share is the median of the ratios of each round.",
      ],
      data: { ...rates, commits, records, openingMs: opening, emptyMs: empty },
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
