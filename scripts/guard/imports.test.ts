import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { importsOf, problemsOf, type SourceFile } from "./rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function tree(): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const ignored = (path: string) => /^(node_modules|dist|\.\w.*)$/.test(path.split(/[\\/]/).at(-1) ?? "");
  const pattern = "{core,adapters/*,apps/*,bench}/**/*.{ts,tsx}";
  for await (const path of glob(pattern, { cwd: root, exclude: ignored })) {
    // Build configurations wire the tools; they are no part of the packages.
    if (/\.config\.ts$/.test(path)) continue;
    files.push({ path: path.replaceAll("\\", "/"), text: readFileSync(`${root}${path}`, "utf8") });
  }
  return files;
}

/** A made-up tree, from each file's path to its text. */
const problems = (files: Record<string, string>) =>
  problemsOf(Object.entries(files).map(([path, text]) => ({ path, text })));

describe("the tree", () => {
  it("keeps its rules", async () => {
    const files = await tree();
    expect(files.map(({ path }) => path)).toContain("adapters/sqlite/src/index.ts");
    expect(files.filter(({ path }) => /node_modules|dist\//.test(path))).toEqual([]);
    expect(problemsOf(files)).toEqual([]);
  });
});

describe("the guard", () => {
  it("finds every way to import", () => {
    const text = `
import one from "one";
import type { Two } from "two";
import {
  three,
  type Three,
} from "three";
export * from "four";
export type { Five } from "five";
import "six";
const seven = await import("seven");
type Eight = import("eight").Eight;
// import "comment";
/** import { x } from "doc"; */
export const text = "from";
export function from() { return "no"; }
`;
    const words = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    expect(importsOf(text).sort()).toEqual(words.sort());
  });

  it("lets the right directions pass", () => {
    const files = {
      "core/src/index.ts": `export * from "./runtime/driver.ts";\nexport * from "./telemetry/bus.ts";`,
      "core/src/runtime/driver.ts": `import "../engine/decide.ts";\nimport "../telemetry/bus.ts";`,
      "core/src/engine/decide.ts": `import type { Step } from "../definition/step.ts";`,
      "core/src/definition/step.ts": "",
      "core/src/drawing/index.ts": `import type { Step } from "../definition/step.ts";`,
      "core/src/telemetry/bus.ts": "",
      "core/src/testing/index.ts": `import "../runtime/driver.ts";`,
      "core/src/testing/conformance.ts": `import { it } from "vitest";\nimport "../runtime/driver.ts";`,
      "core/src/engine/decide.test.ts": `import fc from "fast-check";\nimport "../testing/index.ts";`,
      "adapters/sqlite/src/index.ts": `import "@hephaestus/core";`,
      "adapters/d1/src/index.ts": `import "@hephaestus/sqlite";\nimport "@hephaestus/core/testing";`,
      "apps/demo-web/test/a.e2e.test.ts": `import "../../../scripts/serve-page.ts";`,
      "apps/demo-web/src/main.tsx": `import "@hephaestus/d1";\nimport "@hephaestus/core/drawing";`,
    };
    expect(problems(files)).toEqual([]);
  });

  it.each([
    ["core imports an adapter", "core/src/runtime/a.ts", `import "@hephaestus/sqlite";`],
    ["core imports a package", "core/src/engine/a.ts", `import { z } from "zod";`],
    ["core imports a platform", "core/src/runtime/a.ts", `import "node:fs";`],
    ["vitest outside of core's testing", "core/src/runtime/a.ts", `import "vitest";`],
    ["an adapter imports another", "adapters/sqlite/src/index.ts", `import "@hephaestus/d1";`],
    ["an adapter's test imports another", "adapters/http/test/a.test.ts", `import "@hephaestus/sqlite";`],
    ["an adapter imports an app", "adapters/http/src/index.ts", `import "@hephaestus/demo-web";`],
    ["a package is reached by a path", "apps/demo-web/src/main.tsx", `import "../../../core/src/engine/a.ts";`],
    ["a package needs a script", "apps/demo-web/src/main.tsx", `import "../../../scripts/serve-page.ts";`],
    ["definition imports the engine", "core/src/definition/a.ts", `import type { A } from "../engine/a.ts";`],
    ["the engine imports the runtime", "core/src/engine/a.ts", `export * from "../runtime/a.ts";`],
    ["the engine imports telemetry", "core/src/engine/a.ts", `import "../telemetry/bus.ts";`],
    ["testing imports telemetry", "core/src/testing/a.ts", `import "../telemetry/bus.ts";`],
    ["drawing imports the engine", "core/src/drawing/a.ts", `import "../engine/a.ts";`],
    ["the runtime imports drawing", "core/src/runtime/a.ts", `import "../drawing/a.ts";`],
    ["the runtime imports testing", "core/src/runtime/a.ts", `const a = import("../testing/a.ts");`],
    ["a folder imports core's index", "core/src/runtime/a.ts", `import "../index.ts";`],
    ["a folder outside of the layout", "core/src/utils/a.ts", `import "../engine/a.ts";`],
    ["a clock in the engine", "core/src/engine/a.ts", "export const now = () => Date.now();"],
    ["a file of 401 lines", "core/src/engine/a.ts", "\n".repeat(401)],
  ])("refuses: %s", (_rule, path, text) => {
    expect(problems({ [path]: text })).toHaveLength(1);
  });

  it("refuses vitest in what the test kit imports, and in what that imports", () => {
    const found = problems({
      "core/src/testing/index.ts": `export * from "./mocks.ts";`,
      "core/src/testing/mocks.ts": `import "./waits.ts";`,
      "core/src/testing/waits.ts": `import { expect } from "vitest";`,
      "core/src/testing/storage-suite.ts": `import { expect } from "vitest";`,
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^core\/src\/testing\/waits.ts imports vitest/);
  });

  it("finds a cycle, also one of types and through a package's name", () => {
    const found = problems({
      "core/src/engine/a.ts": `import type { B } from "./b.ts";`,
      "core/src/engine/b.ts": `import { c } from "./c.ts";`,
      "core/src/engine/c.ts": `export type { A } from "./a.ts";`,
    });
    expect(found).toEqual([
      "import cycle: core/src/engine/a.ts → core/src/engine/b.ts → core/src/engine/c.ts → core/src/engine/a.ts",
    ]);
  });

  it("lets a long file pass that is named with a reason", () => {
    const file = { path: "core/src/engine/a.ts", text: "\n".repeat(401) };
    expect(problemsOf([file], { [file.path]: "a table" })).toEqual([]);
  });
});
