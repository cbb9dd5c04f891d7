import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What it cost the compiler to check one module and all that it imports. */
export interface TypeCheckCost {
  readonly instantiations: number;
  readonly types: number;
  readonly checkSeconds: number;
}

// Inside the project, so that the module's imports resolve as everybody's do.
const FOLDER = new URL("../../.cache/types/", import.meta.url);
const TSC = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));

/**
 * Writes a module and has it type-checked, by one thread: several share the work as they come, and the counts are not the
 * same twice.
 * @returns its path and the cost
 * @throws Error with the compiler's words when it does not check
 */
export function typeCheck(name: string, text: string): TypeCheckCost & { readonly path: string } {
  mkdirSync(FOLDER, { recursive: true });
  const path = fileURLToPath(new URL(`${name}.ts`, FOLDER));
  const config = fileURLToPath(new URL(`${name}.json`, FOLDER));
  writeFileSync(path, text);
  writeFileSync(config, JSON.stringify({ extends: "../../../tsconfig.base.json", files: [path] }));
  const said = run(["-p", config, "--extendedDiagnostics", "--singleThreaded"]);
  const figure = (label: string) => {
    const found = new RegExp(`^${label}:\\s+([\\d.]+)`, "m").exec(said)?.[1];
    if (found === undefined) throw new Error(`tsc says no ${label}:\n${said}`);
    return Number(found);
  };
  return {
    path,
    instantiations: figure("Instantiations"),
    types: figure("Types"),
    checkSeconds: figure("Check time"),
  };
}

function run(args: readonly string[]): string {
  try {
    return execFileSync(process.execPath, [TSC, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`tsc failed:\n${stdout}${stderr}`);
  }
}
