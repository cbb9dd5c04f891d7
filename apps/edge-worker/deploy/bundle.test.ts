import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

/** Engine, adapters, HTTP routes with OpenAPI and Hono, in bytes after gzip. A Worker may have 3 MB, 10 MB if paid. */
const BUNDLE_BYTES_MAX = 72_000;

const app = fileURLToPath(new URL("..", import.meta.url));

/** As `wrangler deploy` would upload it, but of the sources, so that nothing must be built first. */
async function dryRun(out: string): Promise<string> {
  const wrangler = join(app, "node_modules/wrangler/bin/wrangler.js");
  const args = ["deploy", "--dry-run", "--outdir", out, "--assets", out];
  const env = {
    ...process.env,
    CI: "true",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_BUILD_CONDITIONS: "@hephaestus/source,workerd,worker,browser",
  };
  const { stdout } = await promisify(execFile)(process.execPath, [wrangler, ...args], { cwd: app, env });
  return stdout;
}

it("deploys, within its budget", async () => {
  const out = await mkdtemp(join(tmpdir(), "bundle-"));
  try {
    const told = await dryRun(out);
    for (const binding of ["INSTANCES (WorkflowInstance)", "STEPS (hephaestus-steps)", "DB (hephaestus)", "ASSETS"]) {
      expect(told).toContain(`env.${binding}`);
    }
    const bytes = gzipSync(await readFile(join(out, "index.js")), { level: 9 }).length;
    console.log(`the edge worker: ${bytes} bytes after gzip, of ${BUNDLE_BYTES_MAX}`);
    expect(bytes).toBeLessThan(BUNDLE_BYTES_MAX);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}, 120_000);
