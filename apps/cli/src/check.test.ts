import { expect, it } from "vitest";
import { modules, run } from "../test/run.ts";

it("names the workflows and versions of modules that are right", async () => {
  expect(await run(modules, "check", "orders.ts", "one.js")).toEqual({
    code: 0,
    out: "orders.ts: refunds@1 (1 step), orders@1 (1 step), orders@2 (2 steps)\none.js: greeting@1 (1 step)\nno problems\n",
    error: "",
  });
});

it("tells every problem of every module, one a line, with its code and names", async () => {
  const { code, out } = await run(modules, "check", "broken.ts", "orders.ts", "throws.ts", "empty.ts");
  expect(code).toBe(1);
  expect(out.split("\n")).toEqual([
    'broken.ts: workflow "broken" has 2 problem(s)',
    "  RETRY_INVALID [first, maxAttempts]: retry of first: maxAttempts must be an integer, 1 or more",
    "  STEP_UNREACHABLE [lost]: no path leads to step lost",
    "orders.ts: refunds@1 (1 step), orders@1 (1 step), orders@2 (2 steps)",
    expect.stringMatching(/^throws.ts: cannot be loaded: TypeError: no database here/),
    "empty.ts: exports no workflow",
    "4 problems",
    "",
  ]);
});

it("says which file is not there, and exits with 2", async () => {
  expect(await run(modules, "check", "nope.ts", "broken.ts")).toMatchObject({
    code: 2,
    out: expect.stringMatching(/^nope.ts: there is no such file\nbroken.ts: workflow/),
  });
  expect(await run(modules, "check", ".")).toMatchObject({ code: 2, out: expect.stringContaining("is a folder") });
});

it("reports as JSON", async () => {
  const { code, out } = await run(modules, "check", "--json", "orders.ts", "broken.ts", "nope.ts");
  expect(code).toBe(2);
  expect(JSON.parse(out)).toEqual({
    ok: false,
    modules: [
      {
        module: "orders.ts",
        workflows: [
          { name: "refunds", version: 1, steps: 1, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
          { name: "orders", version: 1, steps: 1, fingerprint: expect.any(String) },
          { name: "orders", version: 2, steps: 2, fingerprint: expect.any(String) },
        ],
        families: [{ name: "orders", current: 1, versions: [1, 2] }],
        problems: [],
      },
      {
        module: "broken.ts",
        workflows: [],
        families: [],
        problems: [
          { code: "RETRY_INVALID", names: ["first", "maxAttempts"], message: expect.any(String) },
          { code: "STEP_UNREACHABLE", names: ["lost"], message: "no path leads to step lost" },
        ],
      },
      {
        module: "nope.ts",
        workflows: [],
        families: [],
        problems: [{ code: "MODULE_NOT_FOUND", names: [], message: "there is no such file" }],
      },
    ],
  });
});
