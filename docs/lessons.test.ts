import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/* Every lesson has a row on the page and a test that bears its number, in the suites that the page names. */
const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(new URL("lessons.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| (\d+) +\| .+? +\| (.*?) *\|$/gm)].map(([, number = "", suites = ""]) => ({
  number: Number(number),
  suites: suites.split(", ").filter((name) => name !== ""),
}));

const SUITES: Readonly<Record<string, readonly string[]>> = {
  runners: ["core/src/testing/runner-suite.ts", "core/src/testing/runner-lessons.ts"],
  storages: ["core/src/testing/storage-suite.ts", "core/src/testing/header-suite.ts"],
};

/** The lessons that the names of a file's tests bear. */
function lessonsOf(file: string): number[] {
  const text = readFileSync(`${root}${file}`, "utf8");
  const names = text.matchAll(/\b(?:it|describe)(?:\.each\([^)]*\))?\(\s*["'`]LESSONS ([\d, ]+):/g);
  return [...names].flatMap(([, numbers = ""]) => numbers.split(",").map(Number));
}

it("the page has all twenty", () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
});

it("each lesson has a test that bears its number", () => {
  const suites = Object.values(SUITES).flat();
  const tests = globSync("{core,adapters/*}/{src,test}/**/*.test.ts", { cwd: root });
  const told = new Set([...suites, ...tests].flatMap(lessonsOf));
  expect([...told].sort((one, other) => one - other)).toEqual(rows.map(({ number }) => number));
});

it.each(Object.entries(SUITES))("the suite of %s has those that the page says", (name, files) => {
  const told = new Set(files.flatMap(lessonsOf));
  const said = rows.filter(({ suites }) => suites.includes(name)).map(({ number }) => number);
  expect([...told].sort((one, other) => one - other)).toEqual(said);
});
