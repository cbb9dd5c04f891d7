import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROBLEM_CASES, problemsOf } from "../../core/test/problem-cases.ts";

/*
 * The page has a row for every problem code, in the order of the codes' type, and every row's example has that problem.
 * That each code can happen at all, and whom it names, is tested where the cases are: core/src/definition.
 */
const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/reference/definition-errors.md"), "utf8");
const rows = [...page.matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\| `(.+?)` +\| (.+?) +\|$/gm)].map(
  ([, code = "", what = "", example = "", mending = ""]) => ({ code, what, example, mending }),
);
const [, helpers = ""] = /^```js\n(.*?)^```$/ms.exec(page) ?? [];

/** The examples as a module, beside the packages so that their names resolve; ignored by git. */
const folder = join(root, ".cache/definition-errors");
const program = `import { defineStep, defineVersions, defineWorkflow, done, type, wait, waitForEvent, when } from "@hephaestus/core";
${helpers}
export const examples = {
${rows.map(({ code, example }) => `  ${code}: () => ${example},`).join("\n")}
};
/** What the examples stand on is right. */
export const right = [flow, () => only(a), () => together(a, b)];
`;

let examples: Record<string, () => unknown> = {};
let right: readonly (() => unknown)[] = [];

describe("the page of problems", () => {
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "examples.js"), program);
    ({ examples, right } = await import(/* @vite-ignore */ pathToFileURL(join(folder, "examples.js")).href));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has a row for each code, and for no other", () => {
    expect(rows.map(({ code }) => code)).toEqual(Object.keys(PROBLEM_CASES));
    expect(page.match(/^\| `/gm)).toHaveLength(rows.length);
  });

  it("builds its examples on definitions that are right", () => {
    for (const make of right) expect(problemsOf(make)).toEqual([]);
  });

  it.each(rows)("shows an example of $code, which has no other problem", ({ code }) => {
    const codes = new Set(problemsOf(examples[code] as () => unknown).map((problem) => problem.code));
    // A step that leads to no end is on a circle, or behind one.
    expect([...codes].filter((one) => code !== "DONE_UNREACHABLE" || one !== "CYCLE")).toEqual([code]);
  });
});
