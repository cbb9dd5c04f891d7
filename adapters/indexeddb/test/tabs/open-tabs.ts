import { fileURLToPath } from "node:url";
import type { BrowserContext, CDPSession, Page } from "playwright";
import { type ServedPage, servePage } from "../../../../scripts/serve-page.ts";
import type { Beginning } from "./tab.ts";

export const serveTabs = (): Promise<ServedPage> => servePage(fileURLToPath(new URL(".", import.meta.url)));

/** Longer than any test: whoever takes over before it is over was not told by it. */
const LEASE_MS_ENDLESS = 3_600_000;

export interface TabOptions {
  readonly tab: string;
  readonly database: string;
  /** Work ends only when the test releases it. */
  readonly holds?: boolean;
  readonly sweepMs?: number;
  readonly leaseMs?: number;
}

export function addressOf({ tab, database, holds, sweepMs, leaseMs = LEASE_MS_ENDLESS }: TabOptions): string {
  const query = new URLSearchParams({ tab, database, leaseMs: String(leaseMs) });
  if (holds) query.set("holds", "");
  if (sweepMs !== undefined) query.set("sweepMs", String(sweepMs));
  return `?${query}`;
}

/** A page of the context with its engine; one that was not loaded yet, where none is given. */
export async function openTab(context: BrowserContext, url: string, options: TabOptions, page?: Page): Promise<Page> {
  const opened = page ?? (await context.newPage());
  await opened.goto(url + addressOf(options));
  return opened;
}

/** DevTools' own door to a page. */
export const devTools = (page: Page): Promise<CDPSession> => page.context().newCDPSession(page);

/** Starts a job and waits until its work has begun there. */
export async function startHeld(page: Page, key: string): Promise<void> {
  await page.evaluate(async (one) => {
    await tab.engine.start("job", {}, { key: one });
  }, key);
  await page.waitForFunction((one) => tab.beginnings().some(({ key: begun }) => begun === one), key);
}

/** Waits for the end of a job in this page; answers who did its work. */
export const resultOf = (page: Page, key: string): Promise<unknown> =>
  page.evaluate(async (one) => {
    const output = (await tab.engine.result(tab.engine.idOf("job", one))) as { after: { workBy: string } };
    return output.after.workBy;
  }, key);

/** Which tabs began each step of a key, in no order. */
export async function begunBy(page: Page, key: string): Promise<Record<string, string[]>> {
  const all: readonly Beginning[] = await page.evaluate(() => tab.beginnings());
  const tabs: Record<string, string[]> = {};
  for (const one of all.filter((each) => each.key === key))
    tabs[one.step] = [...(tabs[one.step] ?? []), one.tab].sort();
  return tabs;
}

/** How often each step is said to have ended in the history. */
export const completions = (page: Page, key: string): Promise<Record<string, number>> =>
  page.evaluate(async (one) => {
    const counts: Record<string, number> = {};
    for (const entry of await tab.engine.history(tab.engine.idOf("job", one))) {
      if (entry.type === "step" && entry.status === "completed") counts[entry.step] = (counts[entry.step] ?? 0) + 1;
    }
    return counts;
  }, key);
