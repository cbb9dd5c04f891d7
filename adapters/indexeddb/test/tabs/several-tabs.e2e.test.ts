import type { BrowserContext } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ServedPage } from "../../../../scripts/serve-page.ts";
import { begunBy, completions, devTools, openTab, resultOf, serveTabs, startHeld } from "./open-tabs.ts";

let served: ServedPage;
let context: BrowserContext;
beforeAll(async () => {
  served = await serveTabs();
  context = await served.openBrowser();
}, 120_000);
afterAll(() => served?.close());

const open = (tab: string, database: string, options: { holds?: boolean; sweepMs?: number } = {}) =>
  openTab(context, served.url, { tab, database, ...options });

it("all tabs start, resume, list and subscribe", async () => {
  const [one, other] = [await open("one", "all"), await open("other", "all")];
  await one.evaluate(() => tab.engine.start("question", {}, { key: "q" }).then(() => {}));
  const heard = other.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const statuses: string[] = [];
        const stop = tab.engine.subscribe(tab.engine.idOf("question", "q"), ({ status }) => {
          if (statuses.at(-1) !== status) statuses.push(status);
          if (status !== "completed") return;
          stop();
          resolve(statuses);
        });
      }),
  );
  // Who started it hears of the end, although another one drives it there.
  const ended = one.evaluate(() => tab.engine.result(tab.engine.idOf("question", "q")));
  const listed = await other.evaluate(() => tab.engine.list());
  expect(listed.items.map(({ key, status }) => [key, status])).toEqual([["q", "waiting"]]);
  const resumed = await other.evaluate(() =>
    tab.engine.resume(tab.engine.idOf("question", "q"), "given", { text: "yes" }),
  );
  expect(resumed).toBe("delivered");
  expect(await heard).toEqual(["waiting", "completed"]);
  expect(await ended).toEqual({});

  // And a key that one has started is refused to the other, at the same moment too.
  const starts = await Promise.all(
    [one, other].map((page) =>
      page.evaluate(() =>
        tab.engine.start("question", {}, { key: "both" }).then(
          () => "started",
          (error: { code: string }) => error.code,
        ),
      ),
    ),
  );
  expect(starts.sort()).toEqual(["ALREADY_RUNNING", "started"]);
}, 60_000);

it("two tabs that boot at once share what a closed one left, and each instance goes on in one of them", async () => {
  const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
  const gone = await open("gone", "boot", { holds: true });
  await Promise.all(keys.map((key) => startHeld(gone, key)));
  await gone.close();

  const pages = await Promise.all([open("a", "boot"), open("b", "boot")]);
  const [page] = pages;
  const workers = await Promise.all(keys.map((key) => resultOf(page, key)));
  for (const [index, key] of keys.entries()) {
    expect(["a", "b"]).toContain(workers[index]);
    expect(await begunBy(page, key)).toEqual({ work: [workers[index], "gone"].sort(), after: [workers[index]] });
    expect(await completions(page, key)).toEqual({ work: 1, after: 1 });
  }
}, 90_000);

it.each([
  ["closed", (page) => page.close()],
  [
    "crashed",
    async (page) => {
      const crashed = page.waitForEvent("crash");
      // It answers nothing any more.
      (await devTools(page)).send("Page.crash").catch(() => {});
      await crashed;
    },
  ],
] satisfies [string, (page: Awaited<ReturnType<typeof open>>) => Promise<void>][])(
  "what a tab drove goes on in another one when it is %s, not only when its lease is over",
  async (how, kill) => {
    const [first, second] = [await open("first", how, { holds: true }), await open("second", how, { sweepMs: 500 })];
    await startHeld(first, "k");
    await kill(first);
    expect(await resultOf(second, "k")).toBe("second");
    expect(await begunBy(second, "k")).toEqual({ work: ["first", "second"], after: ["second"] });
    expect(await completions(second, "k")).toEqual({ work: 1, after: 1 });
  },
  60_000,
);

it("a lock that was stolen does no harm: the holder that goes on is refused by the journal", async () => {
  const [first, second] = [
    await open("first", "stolen", { holds: true }),
    await open("second", "stolen", { sweepMs: 500 }),
  ];
  await startHeld(first, "k");
  // Whoever holds a lock is told nothing when it is stolen.
  await second.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    const names = held.flatMap(({ name }) => (name?.includes("stolen/") ? [name] : []));
    for (const name of names) await navigator.locks.request(name, { steal: true }, () => {});
  });
  expect(await resultOf(second, "k")).toBe("second");
  await first.evaluate(() => tab.release());
  expect(await resultOf(first, "k")).toBe("second");
  expect(await begunBy(second, "k")).toEqual({ work: ["first", "second"], after: ["second"] });
  expect(await completions(second, "k")).toEqual({ work: 1, after: 1 });
}, 60_000);
