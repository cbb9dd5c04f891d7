/*
 * A web page as it is shipped, in a real browser: for the tests that need several tabs, a crash or no network, and for
 * measurements. Both import this by its path: it belongs to no package.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium } from "playwright";
import { build, preview } from "vite";
import { CHROMIUM_ARGS } from "./chromium-args.ts";

const findChromium = fileURLToPath(new URL("chromium.mjs", import.meta.url));

type PersistentOptions = Parameters<typeof chromium.launchPersistentContext>[1];

export interface ServedPage {
  /** Ends with a slash. */
  readonly url: string;
  /** A browser with a profile of its own on the disk: what is stored outlives its pages, as it does for people. */
  openBrowser(options?: PersistentOptions): Promise<BrowserContext>;
  /** A browser whose contexts are private windows: what is stored is gone with them. */
  openPrivately(): Promise<Browser>;
  /** From now on nobody answers at `url`. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Builds a page for production, in a folder of its own, and serves it on a free port.
 * @param app the folder of its `index.html` and, where it has one, its `vite.config.ts`
 */
export async function servePage(app: string): Promise<ServedPage> {
  const folder = await mkdtemp(join(tmpdir(), "hephaestus-page-"));
  const outDir = join(folder, "dist");
  await inProduction(() =>
    build({ root: app, logLevel: "warn", build: { outDir, emptyOutDir: true, sourcemap: false } }),
  );
  const server = await preview({
    root: app,
    logLevel: "warn",
    build: { outDir },
    preview: { host: "127.0.0.1", port: 0, strictPort: false },
  });
  const opened: { close(): Promise<void> }[] = [];
  const launchOptions = {
    executablePath: execFileSync(process.execPath, [findChromium], { encoding: "utf8" }).trim(),
    args: CHROMIUM_ARGS,
  };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    // Browsers keep connections open, and this would wait for them.
    if ("closeAllConnections" in server.httpServer) server.httpServer.closeAllConnections();
    stopped ??= server.close();
    return stopped;
  };

  return {
    url: server.resolvedUrls?.local[0] ?? "",
    async openBrowser(options) {
      const profile = join(folder, `profile-${opened.length}`);
      const context = await chromium.launchPersistentContext(profile, { ...launchOptions, ...options });
      opened.push(context);
      return context;
    },
    async openPrivately() {
      const browser = await chromium.launch(launchOptions);
      opened.push(browser);
      return browser;
    },
    stop,
    async close() {
      for (const browser of opened) await browser.close();
      await stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Else vite takes vitest's word for what this is, and builds no production page. */
async function inProduction(work: () => Promise<unknown>): Promise<void> {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await work();
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}
