import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium } from "playwright";
import { build, preview } from "vite";
import { vi } from "vitest";

const app = fileURLToPath(new URL("..", import.meta.url));
const findChromium = fileURLToPath(new URL("../../../scripts/chromium.mjs", import.meta.url));

/** The page as it is shipped, built for this test alone, and what removes it again. */
export interface ServedPage {
  readonly url: string;
  /** A browser with a profile of its own on the disk: what is stored outlives its pages, as it does for people. */
  openBrowser(): Promise<BrowserContext>;
  close(): Promise<void>;
}

export async function servePage(): Promise<ServedPage> {
  const folder = await mkdtemp(join(tmpdir(), "hephaestus-demo-"));
  const outDir = join(folder, "dist");
  // Else vite takes vitest's word for what this is, and builds no production page.
  vi.stubEnv("NODE_ENV", "production");
  await build({ root: app, logLevel: "warn", build: { outDir, emptyOutDir: true, sourcemap: false } });
  vi.unstubAllEnvs();
  const server = await preview({
    root: app,
    logLevel: "warn",
    build: { outDir },
    preview: { host: "127.0.0.1", port: 0, strictPort: false },
  });
  const contexts: BrowserContext[] = [];
  return {
    url: server.resolvedUrls?.local[0] ?? "",
    async openBrowser() {
      const context = await chromium.launchPersistentContext(join(folder, `profile-${contexts.length}`), {
        executablePath: execFileSync(process.execPath, [findChromium], { encoding: "utf8" }).trim(),
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      });
      contexts.push(context);
      return context;
    },
    async close() {
      for (const context of contexts) await context.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
