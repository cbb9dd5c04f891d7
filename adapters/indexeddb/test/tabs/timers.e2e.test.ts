import type { BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ServedPage } from "../../../../scripts/serve-page.ts";
import { openTab, serveTabs } from "./open-tabs.ts";

let served: ServedPage;
let context: BrowserContext;
beforeAll(async () => {
  served = await serveTabs();
  context = await served.openBrowser();
}, 120_000);
afterAll(() => served?.close());

const START = Date.parse("2026-11-23T12:00:00Z");
const DAY_MS = 86_400_000;
/** How often the runner of the pages here looks for what is due. */
const SWEEP_MS = 5_000;

/** A page whose clock the test holds. */
async function openAt(at: number, database: string): Promise<Page> {
  const page = await context.newPage();
  await page.clock.install({ time: at });
  await openTab(context, served.url, { tab: "t", database, sweepMs: SWEEP_MS }, page);
  await page.clock.pauseAt(at + 60_000);
  return page;
}

const ask = (page: Page) => page.evaluate(() => tab.engine.start("question", {}, { key: "q" }).then(() => {}));
const status = (page: Page) =>
  page.evaluate(async () => (await tab.engine.get(tab.engine.idOf("question", "q"))).status);
/** Reached without any timer of the page: the clock stands. */
const isReminded = (page: Page) => page.evaluate(() => tab.engine.result(tab.engine.idOf("question", "q")));

it("a wait of 30 days is longer than a timer can be: it ends then, and not before", async () => {
  const page = await openAt(START, "long");
  await ask(page);
  await page.clock.fastForward(25 * DAY_MS);
  expect(await status(page)).toBe("waiting");
  await page.clock.fastForward(5 * DAY_MS - SWEEP_MS);
  expect(await status(page)).toBe("waiting");
  await page.clock.fastForward(2 * SWEEP_MS);
  expect(await isReminded(page)).toEqual({ remind: { by: "t" } });
  await page.close();
});

it("one beside work that goes on is armed in pieces that the browser can hold", async () => {
  const page = await context.newPage();
  await page.addInitScript(() => {
    const original = globalThis.setTimeout;
    const delays: number[] = [];
    Object.assign(globalThis, { delays });
    globalThis.setTimeout = ((callback: () => void, ms = 0) => {
      delays.push(ms);
      return original(callback, ms);
    }) as typeof setTimeout;
  });
  await openTab(context, served.url, { tab: "t", database: "pieces", holds: true }, page);
  await page.evaluate(() => tab.engine.start("job_and_question", {}, { key: "k" }).then(() => {}));
  await page.waitForFunction(() => tab.beginnings().length > 0);
  await page.waitForFunction(() => (globalThis as unknown as { delays: number[] }).delays.includes(2 ** 31 - 1));
  const delays = await page.evaluate(() => (globalThis as unknown as { delays: number[] }).delays);
  // A longer one would end at once.
  expect(Math.max(...delays)).toBe(2 ** 31 - 1);
  const view = await page.evaluate(() => tab.engine.get(tab.engine.idOf("job_and_question", "k")));
  expect(view.steps.answer?.status).toBe("waiting");
  await page.close();
});

it("a timer that came due while no page was open fires when one is loaded", async () => {
  const page = await openAt(START, "closed");
  await ask(page);
  await page.close();
  const tooEarly = await openAt(START + 29 * DAY_MS, "closed");
  await tooEarly.clock.runFor(2 * SWEEP_MS);
  expect(await status(tooEarly)).toBe("waiting");
  await tooEarly.close();
  const next = await openAt(START + 31 * DAY_MS, "closed");
  expect(await isReminded(next)).toEqual({ remind: { by: "t" } });
  await next.close();
});

it("a clock that jumps ahead is noticed at the next look, and one that jumps back makes nothing early", async () => {
  const page = await openAt(START, "jumps");
  await ask(page);
  await page.clock.setSystemTime(START - 10 * DAY_MS);
  await page.clock.runFor(3 * SWEEP_MS);
  expect(await status(page)).toBe("waiting");
  await page.clock.setSystemTime(START + 29 * DAY_MS);
  await page.clock.runFor(3 * SWEEP_MS);
  expect(await status(page)).toBe("waiting");
  await page.clock.setSystemTime(START + 31 * DAY_MS);
  await page.clock.runFor(2 * SWEEP_MS);
  expect(await isReminded(page)).toEqual({ remind: { by: "t" } });
  await page.close();
});

it.each([
  [
    "online",
    async () => {
      await context.setOffline(true);
      await context.setOffline(false);
    },
  ],
  ["visibilitychange", (page) => page.evaluate(() => void document.dispatchEvent(new Event("visibilitychange")))],
  ["pageshow", (page) => page.evaluate(() => void dispatchEvent(new PageTransitionEvent("pageshow")))],
] satisfies [string, (page: Page) => Promise<void>][])(
  "a page whose timers are held back, as in the background, does what is due on %s",
  async (event, happens) => {
    const page = await openAt(START, `throttled-${event}`);
    await ask(page);
    // Time goes by and no timer of the page runs.
    await page.clock.setSystemTime(START + 31 * DAY_MS);
    expect(await status(page)).toBe("waiting");
    await happens(page);
    expect(await isReminded(page)).toEqual({ remind: { by: "t" } });
    await page.close();
  },
);
