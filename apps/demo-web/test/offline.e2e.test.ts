import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServedPage, servePage } from "../../../scripts/serve-page.ts";
import { instancePage } from "./instance-page.ts";

let served: ServedPage;
beforeAll(async () => {
  served = await servePage(fileURLToPath(new URL("..", import.meta.url)));
}, 120_000);
afterAll(() => served?.close());

/** Nothing is wider than the screen, and what is pressed is large enough for a finger. */
async function expectUsable(tab: Page): Promise<void> {
  expect(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  const buttons = await tab
    .getByRole("button")
    .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  expect(Math.min(...buttons)).toBeGreaterThanOrEqual(24);
}

it("installed, it starts, runs, waits, resumes and shows workflows with no server and no network, across reloads", async () => {
  const context = await served.openBrowser({ viewport: { width: 390, height: 844 } });
  const [tab = await context.newPage()] = context.pages();
  await tab.goto(served.url);
  // All of it is kept before the network goes.
  await tab.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
    }
  });
  const tools = await context.newCDPSession(tab);
  const manifest = (await tools.send("Page.getAppManifest")) as { errors: unknown[]; url: string };
  expect([manifest.url, manifest.errors]).toEqual([`${served.url}manifest.webmanifest`, []]);
  const { installabilityErrors } = (await tools.send("Page.getInstallabilityErrors")) as {
    installabilityErrors: { errorId: string }[];
  };
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual([]);

  // It has a network of its own, which is never off.
  await tools.detach();

  await served.stop();
  await context.setOffline(true);
  expect(await fetch(served.url).catch(() => "nobody answers")).toBe("nobody answers");
  await tab.goto(`${served.url}?from=home-screen#/tab/new`);
  await tab.getByText("Offline").waitFor();
  await expectUsable(tab);

  const page = instancePage(tab);
  await page.callsTake("0.5");
  await page.start();
  await page.stepIs("review", "waiting");
  await expectUsable(tab);
  const before = await page.history();
  await tab.reload();
  await page.stepIs("review", "waiting");
  await page.instanceIs("waiting");
  expect(await page.history()).toEqual(before);
  await page.callsTake("60");
  await page.send("approved");
  await page.callIsUnderWay("approve");
  await page.callsTake("0.5");
  await tab.reload();
  await page.instanceIs("completed");

  // Another window opens as well, and shows the same.
  const other = await context.newPage();
  await other.setViewportSize({ width: 1280, height: 800 });
  await other.goto(tab.url());
  await instancePage(other).instanceIs("completed");
  await expectUsable(other);

  // The edge is away, which is said there and harms nothing.
  await other.getByRole("link", { name: "Edge" }).click();
  await other.getByText("The edge is not reachable just now.").waitFor();
  expect(page.complaints).toEqual([]);
}, 90_000);

it("a newer version waits until the user agrees, and then the page is of one piece", async () => {
  const next = await servePage(fileURLToPath(new URL("..", import.meta.url)));
  const context = await next.openBrowser();
  const [tab = await context.newPage()] = context.pages();
  // The same page, whose worker the server has changed.
  let version = "one";
  await context.route("**/service-worker.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(/(\\"version\\":\\")/, `$1${version}`) });
  });
  await tab.goto(next.url);
  await tab.evaluate(() => navigator.serviceWorker.ready);
  await tab.reload();
  expect(await tab.evaluate(() => caches.keys())).toEqual([expect.stringMatching(/^hephaestus-page-one/)]);
  version = "two";
  await tab.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
  await tab.getByRole("button", { name: "New version: reload" }).click();
  await tab.waitForFunction(async () => (await caches.keys()).every((name) => name.startsWith("hephaestus-page-two")));
  await tab.getByRole("button", { name: "New version: reload" }).waitFor({ state: "detached" });
  await next.close();
}, 90_000);
