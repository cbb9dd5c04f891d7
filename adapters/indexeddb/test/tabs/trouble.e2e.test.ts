import type { BrowserContext, Page } from "playwright";
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

const open = (tab: string, database: string, options: { holds?: boolean } = {}) =>
  openTab(context, served.url, { tab, database, sweepMs: 500, ...options });

/** The code of the error that a start ends with. */
const startCode = (page: Page, key: string) =>
  page.evaluate(
    (one) =>
      tab.engine.start("question", {}, { key: one }).then(
        () => "started",
        ({ code }: { code: string }) => code,
      ),
    key,
  );

/** Fills the site's space to the last byte. */
async function fillUp(): Promise<void> {
  const opening = indexedDB.open("filler");
  opening.onupgradeneeded = () => opening.result.createObjectStore("filler", { autoIncrement: true });
  const filler = await new Promise<IDBDatabase>((resolve) => (opening.onsuccess = () => resolve(opening.result)));
  for (let size = 1_000_000; size >= 1; ) {
    const stored = await new Promise((resolve) => {
      const writing = filler.transaction("filler", "readwrite");
      writing.objectStore("filler").add("x".repeat(size));
      writing.oncomplete = () => resolve(true);
      writing.onabort = () => resolve(false);
    });
    if (!stored) size = Math.floor(size / 2);
  }
  filler.close();
}

it("what does not fit is refused with a clear error and changes nothing, and goes on when there is room", async () => {
  // A browser of its own: Chromium asks only now and then how much room an origin has left, and remembers it.
  const page = await (await served.openBrowser()).newPage();
  const tools = await devTools(page);
  const { origin } = new URL(served.url);
  await tools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
  await openTab(page.context(), served.url, { tab: "one", database: "full", holds: true }, page);
  await startHeld(page, "k");
  await page.evaluate(fillUp);
  expect(await startCode(page, "refused")).toBe("STORAGE_FULL");

  // What a step has to report finds no place either; nobody waits for it, so it is kept.
  const before = await page.evaluate(() => tab.results.length);
  await page.evaluate(() => tab.release());
  expect(await startCode(page, "refused")).toBe("STORAGE_FULL");
  const held = await page.evaluate(() => tab.engine.get(tab.engine.idOf("job", "k")));
  expect([held.status, held.steps.work?.status]).toEqual(["running", "active"]);
  expect(await page.evaluate(() => tab.results.length)).toBe(before);
  const listed = await page.evaluate(() => tab.engine.list());
  expect(listed.items.map(({ key }) => key)).toEqual(["k"]);

  await tools.send("Storage.overrideQuotaForOrigin", { origin });
  expect(await resultOf(page, "k")).toBe("one");
  expect(await begunBy(page, "k")).toEqual({ work: ["one"], after: ["one"] });
  expect(await completions(page, "k")).toEqual({ work: 1, after: 1 });
  expect(await startCode(page, "refused")).toBe("started");
}, 60_000);

it("an old tab lets newer code change the database at once, is told, and goes on when it is loaded again", async () => {
  const old = await open("old", "outdated");
  expect(await startCode(old, "q")).toBe("started");
  const newer = await open("newer", "another");
  const answer = await newer.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const opening = indexedDB.open("outdated/default", 1_000);
        opening.onblocked = () => resolve("blocked");
        opening.onsuccess = () => {
          opening.result.close();
          resolve("changed");
        };
      }),
  );
  expect(answer).toBe("changed");
  await old.waitForFunction(() => tab.outdated > 0);
  const refused = await old.evaluate(() => tab.engine.list().catch(({ code, details }) => ({ code, ...details })));
  expect(refused).toEqual({ code: "STORAGE_UNAVAILABLE", reason: "VersionError" });

  // The code that comes with the reload is as new as the database: here, a database that is as old as the code.
  await newer.evaluate(
    () => new Promise((resolve) => (indexedDB.deleteDatabase("outdated/default").onsuccess = resolve)),
  );
  await old.reload();
  expect(await startCode(old, "q")).toBe("started");
}, 60_000);

it.each([
  [
    "by another tab",
    (other: Page, database: string) =>
      other.evaluate(
        (name) => new Promise<void>((resolve) => (indexedDB.deleteDatabase(name).onsuccess = () => resolve())),
        `${database}/default`,
      ),
  ],
  [
    "by the user, who clears the site's data",
    async (other: Page) => {
      const { origin } = new URL(other.url());
      await (await devTools(other)).send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" });
    },
  ],
])(
  "a database that is deleted %s takes its instances with it, and nothing else",
  async (how, remove) => {
    const database = `deleted ${how}`;
    const page = await open("one", database, { holds: true });
    const other = await open("other", "another");
    await startHeld(page, "k");
    await remove(other, database);
    await page.evaluate(() => tab.release());
    // Half of an instance would be worse than none: its next commit finds nothing to follow.
    await page.waitForFunction(() => tab.results.includes("conflict"));
    const gone = await page.evaluate(() => tab.engine.get(tab.engine.idOf("job", "k")).catch(({ code }) => code));
    expect(gone).toBe("INSTANCE_NOT_FOUND");
    expect((await page.evaluate(() => tab.engine.list())).items).toEqual([]);
    // And the page works on.
    await startHeld(page, "k");
    expect(await resultOf(page, "k")).toBe("one");
    expect(await completions(page, "k")).toEqual({ work: 1, after: 1 });
  },
  60_000,
);

it("a connection that is lost in the middle of commits is opened again: nothing is lost, nothing is doubled", async () => {
  const page = await open("one", "lost");
  const internals = await context.newPage();
  await internals.goto("chrome://indexeddb-internals");
  const forceClose = internals.getByText("Force close").first();
  await forceClose.waitFor();
  const opened = await page.evaluateHandle(() => {
    const calls = { count: 0 };
    const original = IDBFactory.prototype.open;
    IDBFactory.prototype.open = function (...args) {
      calls.count += 1;
      return original.apply(this, args);
    };
    return calls;
  });
  // Jobs without end, 20 at a time, until it has been lost often enough.
  const running = page.evaluate(async () => {
    const keys: string[] = [];
    const call = async () => {
      while (!("enough" in globalThis)) {
        const key = `k${keys.length}`;
        keys.push(key);
        // Whose answer was lost is asked for again, under the same id.
        const start = () => tab.engine.start("job", {}, { key, id: `start-${key}` }).catch(({ code }) => code);
        while ((await start()) === "STORAGE_UNAVAILABLE");
        await tab.engine.result(tab.engine.idOf("job", key));
      }
    };
    await Promise.all(Array.from({ length: 20 }, call));
    return keys;
  });
  // Again each time that some commits have come through.
  for (let losses = 1; losses <= 4; losses++) {
    await forceClose.dispatchEvent("click");
    await page.waitForFunction(([count, least]) => count.count > least, [opened, losses - 1] as const);
    await page.waitForFunction((before) => tab.results.length > before, await page.evaluate(() => tab.results.length));
  }
  await page.evaluate(() => Object.assign(globalThis, { enough: true }));
  const keys = await running;
  const ended = await page.evaluate(async (all) => {
    const counts: string[] = [];
    for (const key of all) {
      const entries = await tab.engine.history(tab.engine.idOf("job", key));
      counts.push(
        entries.flatMap((entry) => (entry.type === "step" && entry.status === "completed" ? [entry.step] : [])).join(),
      );
    }
    return counts;
  }, keys);
  expect(ended).toEqual(keys.map(() => "work,after"));
}, 60_000);

it("a private window works like any other, says that nothing is kept, and leaves nothing", async () => {
  const browser = await served.openPrivately();
  const window = await browser.newContext();
  const page = await openTab(window, served.url, { tab: "one", database: "private" });
  expect(await startCode(page, "q")).toBe("started");
  expect((await page.evaluate(() => tab.persistentStorage())).outcome).toBe("denied");
  await page.reload();
  const listed = await page.evaluate(() => tab.engine.list());
  expect(listed.items.map(({ key, status }) => [key, status])).toEqual([["q", "waiting"]]);
  await window.close();
  const next = await openTab(await browser.newContext(), served.url, { tab: "one", database: "private" });
  expect((await next.evaluate(() => tab.engine.list())).items).toEqual([]);
}, 60_000);
