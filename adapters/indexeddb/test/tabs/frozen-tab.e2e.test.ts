import { afterAll, beforeAll, expect, it } from "vitest";
import type { ServedPage } from "../../../../scripts/serve-page.ts";
import { type BareChromium, bareChromium } from "./bare-chromium.ts";
import { addressOf, serveTabs } from "./open-tabs.ts";

let served: ServedPage;
let chromium: BareChromium;
beforeAll(async () => {
  served = await serveTabs();
  chromium = await bareChromium();
}, 120_000);
afterAll(async () => {
  await chromium?.close();
  await served?.close();
});

const open = (tab: string, database: string, holds = false) =>
  chromium.open(served.url + addressOf({ tab, database, holds, sweepMs: 500 }));
const start = (key: string) => `tab.engine.start("job", {}, { key: "${key}" }).then(() => true)`;
const hasBegun = (key: string) => `tab.beginnings().some(({ key, step }) => key === "${key}" && step === "work")`;
const workBy = (key: string) => `tab.engine.result(tab.engine.idOf("job", "${key}")).then(({ after }) => after.workBy)`;
const completions = (key: string) => `tab.engine.history(tab.engine.idOf("job", "${key}")).then((entries) =>
  entries.flatMap((entry) => (entry.type === "step" && entry.status === "completed" ? [entry.step] : [])))`;

it("what a tab drove goes on in another one when it is frozen, and the journal refuses what it commits then", async () => {
  const [first, second] = [await open("first", "frozen", true), await open("second", "frozen")];
  await first.evaluate(start("k"));
  await first.until(hasBegun("k"));
  await first.send("Page.setWebLifecycleState", { state: "frozen" });
  expect(await second.evaluate(workBy("k"))).toBe("second");

  // Its work ends while it sleeps, where DevTools alone can reach it: it still believes that it drives the instance.
  expect(await first.evaluate("tab.results")).not.toContain("conflict");
  await first.evaluate("tab.release()");
  await first.send("Page.setWebLifecycleState", { state: "active" });
  await first.until('tab.results.includes("conflict")');
  expect(await first.evaluate(workBy("k"))).toBe("second");
  expect(await first.evaluate(completions("k"))).toEqual(["work", "after"]);

  // It lives again, and others know: what it starts from now on is left to it.
  await first.evaluate(start("later"));
  expect(await first.evaluate(workBy("later"))).toBe("first");
  expect(await first.evaluate("tab.errors")).toEqual([]);
}, 60_000);

it("a tab that was frozen and not missed goes on where it was", async () => {
  const only = await open("only", "alone", true);
  await only.evaluate(start("k"));
  await only.until(hasBegun("k"));
  await only.send("Page.setWebLifecycleState", { state: "frozen" });
  await only.evaluate("tab.release()");
  await only.send("Page.setWebLifecycleState", { state: "active" });
  expect(await only.evaluate(workBy("k"))).toBe("only");
  expect(await only.evaluate("tab.results")).not.toContain("conflict");
}, 60_000);

it("what a tab drove goes on in another one while it lies in the back-forward cache, and it sees that when it is back", async () => {
  const [first, second] = [await open("first", "cached", true), await open("second", "cached")];
  await first.evaluate(start("k"));
  await first.until(hasBegun("k"));
  await first.evaluate("void (globalThis.sameLife = true)");
  await first.send("Page.navigate", { url: served.url + addressOf({ tab: "elsewhere", database: "elsewhere" }) });
  expect(await second.evaluate(workBy("k"))).toBe("second");
  await first.until("document.readyState === 'complete' && globalThis.sameLife === undefined");
  await first.evaluate("history.back()");
  await first.until("globalThis.sameLife === true");
  expect(await first.evaluate(workBy("k"))).toBe("second");
  await first.evaluate("tab.release()");
  await first.evaluate(start("later"));
  expect(await first.evaluate(workBy("later"))).toBe("first");
  expect(await second.evaluate(completions("k"))).toEqual(["work", "after"]);
}, 60_000);
