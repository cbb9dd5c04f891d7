import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";

/*
 * The demo as its user runs it: a real `wrangler dev`, which is killed in the second test. It serves what was built
 * (`npm run build`; the test lane builds first).
 */
const root = fileURLToPath(new URL("../../..", import.meta.url));
const MINUTES = 60_000;

async function demo(...args: string[]): Promise<string> {
  const program = ["--conditions=@hephaestus/source", "apps/edge-worker/demo/main.ts", ...args];
  // Not the port of a server that a developer has running.
  const env = { ...process.env, PORT: "1" };
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: root, env, maxBuffer: 2 ** 26 });
  return stdout;
}

describe("the demo", () => {
  beforeAll(() => {
    expect(existsSync(`${root}/apps/edge-worker/dist`), "npm run build comes first").toBe(true);
  });

  it("replays recorded deliveries, and every instance ends as it should", { timeout: 3 * MINUTES }, async () => {
    const output = await demo();
    expect(output).toContain("All 5 instances ended as they should.");
    expect(output).toContain("✔ approve completed → ready");
  });

  it("so it does when the server is killed in the middle, and no step begins again after its result", {
    timeout: 5 * MINUTES,
  }, async () => {
    const output = await demo("--kill", "--rounds", "2");
    expect(output).toMatch(/kill 1: SIGKILL/);
    expect(output).toContain("none after its result.");
    expect(output).toContain("All 10 instances ended as they should.");
  });
});
