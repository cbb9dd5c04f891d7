import { fileURLToPath } from "node:url";
import { LEASE_MS } from "@hephaestus/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServedPage, servePage } from "../../../scripts/serve-page.ts";
import type { CodeHostCall } from "../src/tab/local-code-host.ts";
import { type InstancePage, instancePage, type ShownLine, stepOf } from "./instance-page.ts";

/** Long enough that no call ends by itself before its page is gone, and short enough to wait for. */
const FOREVER = "60";
const SOON = "0.5";
const FIRST = ["check_title", "choose_reviewers", "label_size"];

let served: ServedPage;
beforeAll(async () => {
  served = await servePage(fileURLToPath(new URL("..", import.meta.url)));
}, 120_000);
afterAll(() => served?.close());

/** When each step's result was stored, and how often. */
function completions(history: readonly ShownLine[]): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>();
  for (const { at, text } of history) {
    const [step, completed] = text.split(" ");
    if (step && completed?.startsWith("completed") && step !== "instance")
      times.set(step, [...(times.get(step) ?? []), at]);
  }
  return times;
}

/** The laws that hold whatever happened to the pages: each result is stored once, and no step is begun after that. */
async function expectNothingTwice(page: InstancePage): Promise<void> {
  const completed = completions(await page.history());
  const calls = await page.calls();
  for (const [step, times] of completed) {
    expect(times, `${step} completed`).toHaveLength(1);
    const late = calls.filter((call) => stepOf(call) === step && call.startedAt > (times[0] ?? 0));
    expect(late, `${step} begun after its result was stored`).toEqual([]);
  }
}

const countByStep = (calls: readonly CodeHostCall[]) => {
  const counts: Record<string, number> = {};
  for (const call of calls) counts[stepOf(call)] = (counts[stepOf(call)] ?? 0) + 1;
  return counts;
};

it("a run survives reloads in the middle of steps and of a wait, and no step is begun again once its result is stored", async () => {
  const context = await served.openBrowser();
  const [tab = await context.newPage()] = context.pages();
  const page = instancePage(tab);
  await tab.goto(`${served.url}#/tab/new`);
  await page.callsTake(FOREVER);
  await page.start();

  // In the middle of three steps at once.
  for (const step of FIRST) await page.callIsUnderWay(step);
  await page.callsTake(SOON);
  await tab.reload();
  await page.stepIs("review", "waiting");
  expect(countByStep(await page.calls())).toEqual({ check_title: 2, choose_reviewers: 2, label_size: 2, summarize: 1 });
  await expectNothingTwice(page);

  // In the middle of the wait: there is nothing to do, and nothing is done.
  await page.instanceIs("waiting");
  const before = await page.history();
  await tab.reload();
  await page.stepIs("review", "waiting");
  await page.instanceIs("waiting");
  await page.callsTake(FOREVER);
  await page.send("approved");

  // In the middle of the last step.
  await page.callIsUnderWay("approve");
  expect((await page.history()).slice(0, before.length)).toEqual(before);
  await page.callsTake(SOON);
  await tab.reload();
  await page.instanceIs("completed");

  const history = await page.history();
  // From the reload in the wait on, the first thing that happened is the event.
  expect(history[before.length]?.text).toContain("event accepted");
  expect([...completions(history).keys()].sort()).toEqual([...FIRST, "approve", "review", "summarize"].sort());
  expect(countByStep(await page.calls())).toEqual({
    check_title: 2,
    choose_reviewers: 2,
    label_size: 2,
    summarize: 1,
    approve: 2,
  });
  await expectNothingTwice(page);
  // The code host did everything once: what a reload cut off was never answered.
  const answered = (await page.calls()).filter((call) => call.endedAt !== undefined);
  expect(answered.map((call) => call.outcome)).toEqual(answered.map(() => "done"));
  expect(countByStep(answered)).toEqual({
    check_title: 1,
    choose_reviewers: 1,
    label_size: 1,
    summarize: 1,
    approve: 1,
  });

  // And once more: the end is kept as well.
  await tab.reload();
  await page.instanceIs("completed");
  expect(await page.history()).toEqual(history);
  expect(page.complaints).toEqual([]);
}, 90_000);

it("a second tab leaves alone what the first one runs, and takes it over at once when that is closed", async () => {
  const context = await served.openBrowser();
  const [first = await context.newPage()] = context.pages();
  const one = instancePage(first);
  await first.goto(`${served.url}#/tab/new`);
  await one.callsTake(FOREVER);
  await one.start();
  for (const step of FIRST) await one.callIsUnderWay(step);

  const second = await context.newPage();
  const other = instancePage(second);
  await second.goto(first.url());
  for (const step of FIRST) await other.stepIs(step, "active");
  await other.callsTake(SOON);
  const closedAt = Date.now();
  await first.close();

  await other.stepIs("review", "waiting");
  const calls = await other.calls();
  expect(countByStep(calls)).toEqual({ check_title: 2, choose_reviewers: 2, label_size: 2, summarize: 1 });
  const pages = [...new Set(calls.map((call) => call.page))];
  expect(pages).toHaveLength(2);
  const taken = calls.filter((call) => call.page === pages[1]);
  const takenAt = Math.min(...taken.map((call) => call.startedAt));
  expect(takenAt).toBeGreaterThanOrEqual(closedAt);
  // A lease is renewed when half of it is over: it was not its end that told.
  expect(takenAt).toBeLessThan(closedAt + LEASE_MS / 2);
  await expectNothingTwice(other);
  expect([...one.complaints, ...other.complaints]).toEqual([]);
}, 60_000);
