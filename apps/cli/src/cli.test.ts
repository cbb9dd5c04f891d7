import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { freshFolder, modules, run } from "../test/run.ts";

describe("a command line", () => {
  it("is explained", async () => {
    const { code, out } = await run(modules, "--help");
    expect(code).toBe(0);
    expect(await run(modules, "help")).toEqual(await run(modules, "-h"));
    for (const [, command = ""] of out.matchAll(/^ {2}(\w+)/gm)) {
      const help = await run(modules, command, "x", "--help");
      expect(help).toMatchObject({ code: 0, error: "" });
      expect(help.out).toMatch(new RegExp(`^Usage: hephaestus ${command} `));
    }
  });

  it("is refused with what there is, when it names no command or none that there is", async () => {
    for (const [args, what] of [
      [[], "no command"],
      [["chek"], 'unknown command "chek"'],
      [["constructor"], 'unknown command "constructor"'],
    ] as const) {
      expect(await run(modules, ...args)).toEqual({
        code: 2,
        out: "",
        error: `hephaestus: ${what}; there are check, graph, migrations (hephaestus --help)\n`,
      });
    }
  });
});

// Starting Node takes as long as it takes.
describe("the process", { timeout: 60_000 }, () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const spawn = (...args: string[]) =>
    new Promise<{ code: unknown; out: string; error: string }>((resolve) => {
      const command = ["--conditions=@hephaestus/source", main, ...args];
      execFile(process.execPath, command, { cwd: modules }, (error, out, text) => {
        resolve({ code: error?.code ?? 0, out, error: text });
      });
    });

  it("keeps what a module prints out of its report, and ends although a module would stay", async () => {
    const { code, out, error } = await spawn("check", "--json", "stays.js");
    expect(JSON.parse(out)).toMatchObject({ ok: true, modules: [{ module: "stays.js" }] });
    expect([code, error]).toEqual([0, "a module that talks\n"]);
  });

  it("reads TypeScript, and exits with the command's code", async () => {
    const { code, out } = await spawn("check", "broken.ts", "throws.ts");
    expect(code).toBe(1);
    expect(out).toContain("STEP_UNREACHABLE [lost]");
    expect(out).toMatch(/throws\.ts: cannot be loaded: TypeError: no database here \(file:.*throws\.ts:1\b/);
    expect(await spawn("check", "nope.ts")).toMatchObject({ code: 2 });
    expect(await spawn("chek")).toMatchObject({ code: 2, out: "" });
  });

  it("reads sources that are written for bundlers", async () => {
    expect(await spawn("check", "bundled/flow.ts")).toEqual({
      code: 0,
      out: "bundled/flow.ts: bundled@1 (2 steps)\nno problems\n",
      error: "",
    });
  });

  it("says what helps with sources that Node does not run as they are", async () => {
    const folder = freshFolder();
    const texts = {
      "package.json": '{ "type": "commonjs" }',
      "enum.ts": "export enum Colour { Red }",
      "script.js": 'import "node:fs";',
      "lost.ts": 'import "./nowhere.js";',
      // A module all the same.
      "module.ts": 'import "node:fs";',
    };
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    const { code, out } = await spawn("check", ...Object.keys(texts).map((name) => join(folder, name)));
    expect(code).toBe(1);
    const [json, asEnum, script, lost, module] = out.split("\n");
    expect(json).toMatch(/package\.json: cannot be loaded: TypeError: .*import attribute/);
    expect(asEnum).toMatch(/enum is not supported.*; NODE_OPTIONS=--experimental-transform-types lets Node run it$/);
    expect(script).toMatch(/script\.js: .*; name it \.mjs, or put "type": "module" in package\.json$/);
    expect(module).toMatch(/module\.ts: exports no workflow$/);
    expect(lost).toMatch(/lost\.ts: .*: Cannot find module '.*nowhere\.js' imported from .*lost\.ts$/);
  });

  it("says so when a module never finishes loading", async () => {
    expect(await spawn("check", "never.js")).toMatchObject({
      code: 1,
      error: expect.stringContaining("a module never finished loading"),
    });
  });
});
