import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { CHROMIUM_ARGS } from "./scripts/chromium-args.ts";

/*
 * What a package does in a runtime is tested in that runtime, not in a mock of it. The file's name says where it runs:
 *
 *   *.test.ts            node       anywhere: core, adapters/sqlite, adapters/http, scripts, docs, …
 *   *.workerd.test.ts    workerd    Cloudflare's runtime, with objects, D1 and queues: adapters/durable-objects,
 *                                   adapters/d1, apps/edge-worker; one project each, since each has its own bindings
 *   *.browser.test.ts    chromium   a real, headless browser: adapters/indexeddb, apps/demo-web
 *
 * Core's tests run everywhere: each core:<runtime> is a project of the very same files, in Bun and Deno by running vitest
 * itself there (scripts/core-lane.mjs). Core's tests on Node are part of the project node.
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
/** A guard against what never ends; how fast a machine is, no test depends on. */
const testTimeout = 60_000;
const outside = ["**/node_modules/**", "**/dist/**", "**/.wrangler*/**"];

/** A folder whose tests run in workerd, with the bindings of its wrangler config. */
function workerd(folder: string, config: string, bindings: Record<string, string> = {}, others: string[] = []) {
  return {
    ...conditions("workerd", "worker", "browser"),
    plugins: [cloudflareTest({ wrangler: { configPath: `${root}${folder}/${config}` }, miniflare: { bindings } })],
    test: {
      name: `workerd:${folder.split("/").at(-1)}`,
      root: `${root}${folder}`,
      include: ["**/*.workerd.test.ts"],
      exclude: [...outside, ...others],
      testTimeout,
    },
  };
}

/** How many of a property's cases are tried on Node; a part of them in the other runtimes, where the engine is the same. */
const share = Number(process.env.HEPHAESTUS_SHARE ?? 1);
const SHARE_ELSEWHERE = 0.2;

/** Core's own tests in another runtime than Node: all of them, which `npm test` sees to. */
function core(runtime: "bun" | "deno" | "workerd" | "chromium") {
  return {
    name: `core:${runtime}`,
    root: `${root}core`,
    include: ["{src,test}/**/*.test.ts"],
    exclude: outside,
    testTimeout,
    // One realm for all files, which starts faster: core keeps nothing in its modules.
    isolate: false,
    provide: { runtime, share: share * SHARE_ELSEWHERE },
  };
}

/** The browser that scripts/chromium.mjs found; playwright's own when it was never asked. */
function chromiumPath(): string | undefined {
  const cache = `${root}.cache/chromium.json`;
  const cached = existsSync(cache) ? (JSON.parse(readFileSync(cache, "utf8")) as { path?: string }).path : undefined;
  return process.env.HEPHAESTUS_CHROMIUM || cached;
}
const executablePath = chromiumPath();

/** A headless Chromium for the tests of a project, which is named as the project is. */
function chromium(name: string) {
  return {
    enabled: true,
    headless: true,
    screenshotFailures: false,
    provider: playwright({
      launchOptions: {
        ...(executablePath && { executablePath }),
        args: CHROMIUM_ARGS,
      },
    }),
    instances: [{ browser: "chromium" as const, name }],
  };
}

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
          testTimeout,
          provide: { runtime: "node", share },
        },
      },
      workerd("adapters/durable-objects", "test/wrangler.jsonc"),
      workerd("adapters/d1", "test/wrangler.jsonc"),
      workerd("apps/edge-worker", "wrangler.jsonc", { GITHUB_WEBHOOK_SECRET: "development", WATCHDOG_SECONDS: "1" }, [
        "cost/**",
        "several-databases/**",
      ]),
      workerd("apps/edge-worker/cost", "wrangler.jsonc"),
      workerd("apps/edge-worker/several-databases", "wrangler.jsonc"),
      {
        ...conditions("browser"),
        test: {
          name: "chromium",
          include: ["**/*.browser.test.ts"],
          exclude: outside,
          testTimeout,
          browser: chromium("chromium"),
        },
      },
      {
        ...conditions("workerd", "worker", "browser"),
        plugins: [cloudflareTest({ miniflare: { compatibilityDate: "2026-11-02" } })],
        test: core("workerd"),
      },
      { ...conditions("browser"), test: { ...core("chromium"), browser: chromium("core:chromium") } },
      // Bun's child processes lack what vitest's default pool asks of them; its threads do not.
      ...("Bun" in globalThis ? [{ ...conditions("bun"), test: { ...core("bun"), pool: "threads" as const } }] : []),
      ...("Deno" in globalThis ? [{ ...conditions("deno"), test: core("deno") }] : []),
    ],
  },
});
