import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/*
 * The code in README.md and docs/ runs, and is checked by the compiler as it stands there.
 *
 *   ```ts          a program of its own; `value; // => expected` is an assertion, and so is `value; // => throws CODE`
 *   ```ts setup    what every later program of the page begins with
 *   ```ts edge     only checked, with the types of Cloudflare's runtime
 *   ```ts tab      only checked, with the types of a browser
 *
 * Blocks of other kinds (```sh, …) are only shown.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
// Beside the packages, so that their names resolve; ignored by git.
const folder = join(root, ".cache", "examples");

interface Example {
  readonly name: string;
  readonly kind: string;
  readonly code: string;
}

function pages(): string[] {
  const all = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  return ["README.md", ...all.filter((file) => file.endsWith(".md")).map((file) => join("docs", file))];
}

/** The programs of a page, each named by the heading above it. */
function examplesOf(page: string, text: string): Example[] {
  const examples: Example[] = [];
  let heading = "";
  let setup = "";
  for (const [, title, kind = "", code = ""] of text.matchAll(/^#+ ([^\n]+)$|^```ts ?([^\n]*)\n(.*?)^```$/gms)) {
    if (title !== undefined) heading = title;
    else if (kind === "setup") setup += code;
    else examples.push({ name: `${page}, block ${examples.length + 1}: ${heading}`, kind, code: setup + code });
  }
  return examples;
}

/** Turns each `value; // => expected` into an assertion. */
function withAssertions(code: string): { program: string; assertions: number } {
  let assertions = 0;
  const program = code.replace(/^(\s*)(.+?);? \/\/ => (.+)$/gm, (_, space: string, value: string, expected: string) => {
    assertions += 1;
    const [, thrown] = /^throws (\w+)$/.exec(expected) ?? [];
    if (thrown === undefined) return `${space}globalThis.__expect(${value}, ${expected});`;
    return `${space}await globalThis.__expectThrow(async () => ${value}, "${thrown}");`;
  });
  return { program, assertions };
}

function fileOf(kind: string, { name }: Pick<Example, "name">): string {
  return join(folder, kind, `${name.replaceAll(/\W+/g, "-")}.ts`);
}

Object.assign(globalThis, {
  __expect: (value: unknown, expected: unknown) => expect(value).toEqual(expected),
  __expectThrow: (act: () => Promise<unknown>, code: string) => expect(act()).rejects.toMatchObject({ code }),
});

const examples = pages().flatMap((page) => examplesOf(page, readFileSync(join(root, page), "utf8")));
const checked = { edge: ["@cloudflare/workers-types"], tab: [], "": ["node"] } as const;

describe("code in the docs", () => {
  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true });
    for (const kind of ["run", "shown/edge", "shown/tab", "shown"]) mkdirSync(join(folder, kind), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const example of examples.filter(({ kind }) => kind === "")) {
    it(example.name, async () => {
      const { program, assertions } = withAssertions(example.code);
      const file = fileOf("run", example);
      writeFileSync(file, program);
      // Files that a program makes go with the folder.
      process.chdir(join(folder, "run"));
      await import(/* @vite-ignore */ pathToFileURL(file).href);
      expect(assertions, "a block that runs asserts something").toBeGreaterThan(0);
    });
  }

  for (const [kind, types] of Object.entries(checked)) {
    it(`compiles as it is shown${kind && `: ${kind}`}`, () => {
      const own = examples.filter((example) => example.kind === kind);
      const place = join("shown", kind);
      for (const example of own) writeFileSync(fileOf(place, example), example.code);
      const config = {
        extends: join(root, "tsconfig.base.json"),
        compilerOptions: { types, lib: ["es2024", ...(kind === "tab" ? ["dom", "dom.iterable"] : [])] },
        include: ["*.ts"],
      };
      writeFileSync(join(folder, place, "tsconfig.json"), JSON.stringify(config));
      if (own.length > 0) compile(join(folder, place));
    });
  }

  it("the page of patterns has all twenty of them, each with a program", () => {
    const numbers = examples.flatMap(({ name }) => /workflow-patterns\.md.*: (\d+)\. /.exec(name)?.[1] ?? []);
    expect([...new Set(numbers)]).toEqual(Array.from({ length: 20 }, (_, n) => String(n + 1)));
  });

  it("a kind of block that nobody knows is a mistake", () => {
    expect(examples.filter(({ kind }) => !Object.hasOwn(checked, kind)).map(({ name }) => name)).toEqual([]);
  });

  it("an example fails when it is not as it says", async () => {
    for (const wrong of ["1 + 1; // => 3", "Promise.resolve(1); // => throws CODE"]) {
      const file = join(folder, "run", "wrong.ts");
      writeFileSync(file, withAssertions(wrong).program);
      await expect(import(/* @vite-ignore */ `${pathToFileURL(file).href}?${wrong.length}`)).rejects.toThrow();
    }
  });
});

/** Throws with what the compiler says. */
function compile(project: string): void {
  try {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", project], { encoding: "utf8" });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout);
  }
}
