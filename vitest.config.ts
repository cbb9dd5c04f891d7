import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

/*
 * What a package does in a runtime is tested in that runtime, not in a mock of it. The file's name says where it runs:
 *
 *   *.test.ts            node       anywhere: core, adapters/sqlite, adapters/http, scripts, docs, …
 *   *.workerd.test.ts    workerd    Cloudflare's runtime, with objects, D1 and queues: adapters/durable-objects,
 *                                   adapters/d1, apps/edge-worker; one project each, since each has its own bindings
 *   *.browser.test.ts    chromium   a real, headless browser: adapters/indexeddb, apps/demo-web
 *
 * Type tests (*.test-d.ts) are checked by each package's `typecheck`.
 *
 *   npx vitest --project node            watch one runtime; `npm run test:node` runs it once with a report
 *   npx vitest --project "workerd:*"
 */
const root = fileURLToPath(new URL(".", import.meta.url));

// Tests run on the sources of all packages: nothing must be built first, and a stack trace shows the line as written.
// `ssr` is what vite calls the side that tests in node and workerd are resolved for.
function conditions(...runtime: string[]) {
  const resolve = { conditions: ["@hephaestus/source", ...runtime, "module", "development|production"] };
  return { resolve, ssr: { resolve } };
}
const outside = ["**/node_modules/**", "**/dist/**", "**/.wrangler*/**"];

/** A package whose tests run in workerd, with the bindings of its wrangler config. */
function workerd(folder: string, config: string, bindings: Record<string, string> = {}) {
  return {
    ...conditions("workerd", "worker", "browser"),
    plugins: [cloudflareTest({ wrangler: { configPath: `${root}${folder}/${config}` }, miniflare: { bindings } })],
    test: {
      name: `workerd:${folder.split("/").at(-1)}`,
      root: `${root}${folder}`,
      include: ["**/*.workerd.test.ts"],
      exclude: outside,
    },
  };
}

/** The browser that scripts/chromium.mjs found; playwright's own when it was never asked. */
function chromiumPath(): string | undefined {
  const cache = `${root}.cache/chromium.json`;
  const cached = existsSync(cache) ? (JSON.parse(readFileSync(cache, "utf8")) as { path?: string }).path : undefined;
  return process.env.HEPHAESTUS_CHROMIUM || cached;
}
const executablePath = chromiumPath();

export default defineConfig({
  test: {
    // What a test that passed has printed is noise.
    silent: "passed-only",
    projects: [
      {
        ...conditions("node"),
        test: {
          name: "node",
          environment: "node",
          include: ["**/*.test.ts"],
          exclude: [...outside, "**/*.workerd.test.ts", "**/*.browser.test.ts"],
        },
      },
      workerd("adapters/durable-objects", "test/wrangler.jsonc"),
      workerd("adapters/d1", "test/wrangler.jsonc"),
      workerd("apps/edge-worker", "wrangler.jsonc", { GITHUB_WEBHOOK_SECRET: "development", WATCHDOG_SECONDS: "1" }),
      {
        ...conditions("browser"),
        test: {
          name: "chromium",
          include: ["**/*.browser.test.ts"],
          exclude: outside,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(executablePath && { executablePath }),
                // Works as root and in a closed network: no sandbox, and no talk with Google's servers.
                args: [
                  "--no-sandbox",
                  "--disable-gpu",
                  "--disable-quic",
                  "--no-first-run",
                  "--disable-background-networking",
                  "--disable-component-update",
                  "--disable-sync",
                ],
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
