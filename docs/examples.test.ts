import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

/*
 * The code in README.md and docs/ runs. A block that begins with ```ts is a program of its own; `value; // => expected`
 * is an assertion. Blocks of other kinds (```ts no-run, ```sh, …) are only shown.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
// Beside the packages, so that their names resolve; ignored by git.
const folder = join(root, ".cache", "examples");

function pages(): string[] {
  const all = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  return ["README.md", ...all.filter((file) => file.endsWith(".md")).map((file) => join("docs", file))];
}

function blocksOf(text: string): string[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
}

/** Turns each `value; // => expected` into an assertion. */
function withAssertions(code: string): { program: string; assertions: number } {
  let assertions = 0;
  const program = code.replace(/^(\s*)(.+?);? \/\/ => (.+)$/gm, (_, space: string, value: string, expected: string) => {
    assertions += 1;
    return `${space}globalThis.__expect(${value}, ${expected});`;
  });
  return { program, assertions };
}

Object.assign(globalThis, { __expect: (value: unknown, expected: unknown) => expect(value).toEqual(expected) });
mkdirSync(folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("code in the docs", () => {
  for (const page of pages()) {
    blocksOf(readFileSync(join(root, page), "utf8")).forEach((code, index) => {
      it(`${page}, block ${index + 1}`, async () => {
        const { program, assertions } = withAssertions(code);
        const file = join(folder, `${page.replaceAll(/\W/g, "-")}-${index}.ts`);
        writeFileSync(file, program);
        await import(/* @vite-ignore */ pathToFileURL(file).href);
        expect(assertions, "a block that runs asserts something").toBeGreaterThan(0);
      });
    });
  }

  it("the example of the README fails when it is not as it says", async () => {
    const { program } = withAssertions("1 + 1; // => 3");
    const file = join(folder, "wrong.ts");
    writeFileSync(file, program);
    await expect(import(/* @vite-ignore */ pathToFileURL(file).href)).rejects.toThrow();
  });
});
