import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { runCli } from "../src/cli.ts";

/** The modules that the tests look at. */
export const modules = fileURLToPath(new URL("modules", import.meta.url));

/** Runs a command line in this process, and keeps what it says. */
export async function run(cwd: string, ...args: string[]) {
  const said = { out: "", error: "" };
  const code = await runCli(args, {
    cwd,
    out: (text) => {
      said.out += text;
    },
    error: (text) => {
      said.error += text;
    },
  });
  return { code, ...said };
}

/** A new folder, gone when the test is over. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
