// Runs core's tests in a runtime: node scripts/core-lane.mjs bun|deno|workerd|chromium [vitest's arguments]
//
// Bun and Deno run vitest itself. Their binaries are npm packages, one for each platform, named in package.json as
// Node's are. (The packages `bun` and `deno` choose the platform in an install script, and bun's downloads when in doubt.)
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findChromium } from "./chromium.mjs";
import { environment, main, root, run } from "./lib.mjs";

const vitest = join(root, "node_modules/vitest/vitest.mjs");
const exe = process.platform === "win32" ? ".exe" : "";

/** Where npm put a runtime's binary: the package of this machine's platform is the one that it installed. */
function binary(platforms, file) {
  const name = platforms[`${process.platform}-${process.arch}`];
  const path = join(root, "node_modules", name ?? "", file);
  if (!name || !existsSync(path)) throw new Error(`${path} is not there: npm ci installs it, on the platforms of Node`);
  return path;
}

const BUN = {
  "darwin-arm64": "@oven/bun-darwin-aarch64",
  "linux-arm64": "@oven/bun-linux-aarch64",
  "linux-x64": "@oven/bun-linux-x64",
  "win32-x64": "@oven/bun-windows-x64",
};
const DENO = {
  "darwin-arm64": "@deno/darwin-arm64",
  "linux-arm64": "@deno/linux-arm64-glibc",
  "linux-x64": "@deno/linux-x64-glibc",
  "win32-x64": "@deno/win32-x64",
};

/** The program that runs vitest there, with its arguments before vitest's. */
const RUNTIMES = {
  bun: () => [
    binary(BUN, `bin/bun${exe}`),
    // Without --bun it would hand vitest over to Node.
    "--bun",
    vitest,
  ],
  deno: () => [binary(DENO, `deno${exe}`), "run", "--allow-all", "--no-remote", "--no-lock", vitest],
  workerd: () => ["node", vitest],
  chromium: async () => {
    await findChromium();
    return ["node", vitest];
  },
};

main(import.meta.url, async () => {
  const [runtime, ...rest] = process.argv.slice(2);
  if (!Object.hasOwn(RUNTIMES, runtime ?? "")) throw new Error(`One of ${Object.keys(RUNTIMES).join(", ")}, please.`);
  const [command, ...args] = await RUNTIMES[runtime]();
  const report = `.test-results/core-${runtime}.json`;
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  process.exitCode = await run(command, [...args, "run", "--project", `core:${runtime}`, ...reporters, ...rest], {
    // Deno keeps what it compiled in the tree, not in the user's home, and asks nobody for its newest version.
    env: { ...environment(), DENO_DIR: join(root, ".cache/deno"), DENO_NO_UPDATE_CHECK: "1" },
  });
});
