import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServedPage, servePage } from "../../../scripts/serve-page.ts";

/*
 * The code of docs/guides/browser.md, as it stands there: each block begins with the name of its file, and each file
 * with what the page sets up.
 */
const root = fileURLToPath(new URL("../../..", import.meta.url));
// Beside the packages, so that their names resolve; ignored by git.
const folder = join(root, ".cache", "browser-guide");
const PAGES = ["page", "page-with-worker", "page-with-shared-worker"] as const;

let served: ServedPage;
let context: BrowserContext;

beforeAll(async () => {
  const guide = readFileSync(join(root, "docs/guides/browser.md"), "utf8");
  const [, setup = ""] = /^```ts setup\n(.*?)^```$/ms.exec(guide) ?? [];
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [, name = "", code = ""] of guide.matchAll(/^```ts tab\n\/\/ (\S+)\n(.*?)^```$/gms)) {
    writeFileSync(join(folder, name), `${setup}\n${code}`);
  }
  for (const page of PAGES) {
    writeFileSync(
      join(folder, `${page}.html`),
      `<!doctype html><body><script type="module" src="${page}.ts"></script>`,
    );
  }
  const config = {
    resolve: { conditions: ["@hephaestus/source", "module", "browser", "development|production"] },
    worker: { format: "es" },
    build: { target: "es2023", rolldownOptions: { input: PAGES.map((page) => join(folder, `${page}.html`)) } },
  };
  writeFileSync(join(folder, "vite.config.js"), `export default ${JSON.stringify(config)};\n`);
  served = await servePage(folder);
  context = await served.openBrowser();
}, 120_000);

afterAll(async () => {
  await served?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a page and waits until it says so; answers all that it says. */
async function says(page: (typeof PAGES)[number], text: string): Promise<string | null> {
  const opened = await context.newPage();
  const errors: string[] = [];
  opened.on("pageerror", (error) => errors.push(String(error)));
  await opened.goto(`${served.url}${page}.html`);
  await opened.getByText(text).waitFor();
  expect(errors).toEqual([]);
  return opened.getByText(text).textContent();
}

it("the guide's page keeps a note", async () => {
  expect(await says("page", "5 characters are kept:")).toMatch(/: (granted|denied)$/);
}, 60_000);

it("the guide's dedicated worker keeps one", async () => {
  expect(await says("page-with-worker", "the worker kept")).toBe("the worker kept 12 characters");
}, 60_000);

it("the guide's shared worker keeps one for each tab", async () => {
  expect(await says("page-with-shared-worker", "shared:")).toBe("shared: 16 characters");
  expect(await says("page-with-shared-worker", "shared:")).toBe("shared: 16 characters");
}, 60_000);
