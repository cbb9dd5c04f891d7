import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { RETRY_DEFAULT } from "@hephaestus/core";
import { afterAll, describe, expect, it } from "vitest";

/* The tables of errors, telemetry and limits are what the code has: no row is missing, and none is left over. */
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, ".cache", "reference");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The rows of a page's tables, their cells without the marks of code. */
function rowsOf(page: string): string[][] {
  const text = readFileSync(join(root, "docs/reference", page), "utf8");
  return [...text.matchAll(/^\| (`.+) \|$/gm)].map(([, row = ""]) => row.split("|").map((cell) => cell.trim()));
}

const unmarked = (cell = "") => cell.replaceAll("`", "");
const codesIn = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

/** Has the compiler compare what a page says with a type; throws what it says. */
function compile(name: string, program: string): void {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "page.ts"), program);
  writeFileSync(
    join(place, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.base.json"), include: ["*.ts"] }),
  );
  try {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", place], { encoding: "utf8" });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout);
  }
}

const marks = (names: readonly string[]) => JSON.stringify(Object.fromEntries(names.map((name) => [name, true])));

describe("the pages of reference", () => {
  it("errors: every code, once", () => {
    const codes = rowsOf("errors.md").map(([code]) => unmarked(code));
    expect(codes.length).toBe(new Set(codes).size);
    compile(
      "errors",
      `import type { ErrorCode } from "@hephaestus/core";
       export const page: { readonly [Code in ErrorCode]: true } = ${marks(codes)};`,
    );
  });

  it("telemetry: every event with its measurements and metadata", () => {
    const rows = rowsOf("telemetry.md").map(([name, , measured, told]) => {
      // What stands in brackets explains.
      const fields = codesIn(told?.replaceAll(/\(.*?\)/g, ""));
      return `${JSON.stringify(unmarked(name))}: [${marks(codesIn(measured))}, ${marks(fields)}]`;
    });
    expect(rows.length).toBeGreaterThan(0);
    compile(
      "telemetry",
      `import type { InstanceFacts, TelemetryEvent, TelemetryName } from "@hephaestus/core";
       type Marks<Key extends PropertyKey> = { readonly [K in Key]: true };
       type Measured<N extends TelemetryName> = Exclude<keyof TelemetryEvent<N>["measurements"], "systemTime">;
       type Told<N extends TelemetryName> = Exclude<keyof TelemetryEvent<N>["metadata"], keyof InstanceFacts>;
       export const page: { readonly [N in TelemetryName]: readonly [Marks<Measured<N>>, Marks<Told<N>>] } = {
         ${rows.join(",\n")}
       };`,
    );
  });

  it("limits: every exported one with its value", async () => {
    const page = rowsOf("limits.md").map(([name, value]) => [unmarked(name), Number(value)] as const);
    const found = new Map<string, number>([
      ["RETRY_DEFAULT.maxAttempts", RETRY_DEFAULT.maxAttempts],
      ["RETRY_DEFAULT.initialMs", RETRY_DEFAULT.initialMs],
      ["RETRY_DEFAULT.maxMs", RETRY_DEFAULT.maxMs],
    ]);
    for (const file of sourceFiles()) {
      const names = [...readFileSync(file, "utf8").matchAll(LIMIT)].map(([, name = ""]) => name);
      if (names.length === 0) continue;
      const module = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Record<string, number>;
      for (const name of names) found.set(name, module[name] as number);
    }
    expect(Object.fromEntries(page)).toEqual(Object.fromEntries(found));
  });
});

/** How a limit is named: what is not exported is nobody's business but its file's. */
const LIMIT = /^export const ((?:MAX|SERIAL)_[A-Z_]+|[A-Z_]+_(?:MAX|MS|BYTES|DEFAULT)) =(?! \{)/gm;

/** The sources of core and of the adapters whose limits a user may meet: not tests, the test kit, or what draws. */
function sourceFiles(): string[] {
  const packages = ["core", ...readdirSync(join(root, "adapters")).map((name) => join("adapters", name))];
  return packages.flatMap((name) => {
    const files = readdirSync(join(root, name, "src"), { recursive: true, encoding: "utf8" });
    return files
      .filter((file) => file.endsWith(".ts") && !/\.test\.ts$|\.test-d\.ts$|^testing\/|^drawing\//.test(file))
      .map((file) => join(root, name, "src", file));
  });
}
