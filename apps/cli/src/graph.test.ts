import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freshFolder, modules, run } from "../test/run.ts";

const orders = join(modules, "orders.ts");

describe("what is drawn", () => {
  it("is the only workflow", async () => {
    const { code, out } = await run(modules, "graph", "one.js");
    expect(code).toBe(0);
    expect(out).toMatch(/\| +hello +\|/);
  });

  it("is the one named: the current version, or the one asked for", async () => {
    const { out: current } = await run(modules, "graph", "orders.ts", "--workflow", "orders");
    expect(current).not.toContain("payment");
    const { out: second } = await run(modules, "graph", "orders.ts", "--workflow", "orders@2");
    expect(second).toContain("payment");
  });

  it("is asked for when there are several, or none of that name", async () => {
    expect(await run(modules, "graph", "orders.ts")).toEqual({
      code: 2,
      out: "",
      error: "hephaestus: which one? --workflow refunds, orders (hephaestus graph --help)\n",
    });
    expect(await run(modules, "graph", "orders.ts", "--workflow", "orders@3")).toMatchObject({
      code: 2,
      error: expect.stringContaining('there is no workflow "orders@3" among refunds@1, orders@1, orders@2'),
    });
  });

  it("is nothing while a definition is broken: its problems are told instead", async () => {
    const { code, out, error } = await run(modules, "graph", "broken.ts");
    expect([code, out]).toEqual([1, ""]);
    expect(error).toContain("STEP_UNREACHABLE [lost]");
  });

  it("is refused with options that do not go together", async () => {
    for (const [args, why] of [
      [[], "no module"],
      [["--format", "png"], 'unknown format "png"; there are ascii, mermaid, svg'],
      [["--format", "constructor"], "unknown format"],
      [["--check"], "--check needs a file"],
      [["--markdown", "a.md", "--format", "svg"], "--markdown draws what the markers name"],
      [["--markdwon", "a.md"], "Unknown option '--markdwon'"],
    ] as const) {
      const module = args.length === 0 ? [] : ["one.js"];
      expect(await run(modules, "graph", ...module, ...args)).toMatchObject({
        code: 2,
        out: "",
        error: expect.stringContaining(why),
      });
    }
  });
});

describe("a drawing in a file", () => {
  it("is of the format that its ending says, unless one is named", async () => {
    const folder = freshFolder();
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    await run(folder, "graph", orders, "--workflow", "refunds", "--out", "deep/er/a.svg");
    expect(read("deep/er/a.svg")).toMatch(/^<svg /);
    await run(folder, "graph", orders, "--workflow", "refunds", "--out", "a.mmd");
    expect(read("a.mmd")).toMatch(/^flowchart TD\n/);
    await run(folder, "graph", orders, "--workflow", "refunds", "--out", "a.txt");
    expect(read("a.txt")).toContain("( start )");
    await run(folder, "graph", orders, "--workflow", "refunds", "--out", "b.txt", "--format", "mermaid");
    expect(read("b.txt")).toBe(read("a.mmd"));
  });

  it("is found missing and outdated by --check, which writes nothing", async () => {
    const folder = freshFolder();
    const command = ["graph", orders, "--workflow", "refunds", "--out", "a.mmd"];
    expect(await run(folder, ...command, "--check")).toEqual({ code: 1, out: "missing    a.mmd\n", error: "" });
    expect(await run(folder, ...command)).toEqual({ code: 0, out: "written    a.mmd\n", error: "" });
    expect(await run(folder, ...command, "--check")).toEqual({ code: 0, out: "unchanged  a.mmd\n", error: "" });
    writeFileSync(join(folder, "a.mmd"), "old");
    expect(await run(folder, ...command, "--check")).toEqual({ code: 1, out: "outdated   a.mmd\n", error: "" });
    expect(readFileSync(join(folder, "a.mmd"), "utf8")).toBe("old");
  });
});

describe("graphs in Markdown", () => {
  const page = "# A\n\n<!-- hephaestus:graph refunds -->\n<!-- /hephaestus:graph -->\n\nThe end";

  it("are written once, and found up to date after that", async () => {
    const folder = freshFolder();
    const file = join(folder, "page.md");
    writeFileSync(file, page);
    const command = ["graph", orders, "--markdown", "page.md"];
    expect(await run(folder, ...command, "--check")).toMatchObject({ code: 1, out: "outdated   page.md\n" });
    expect(readFileSync(file, "utf8")).toBe(page);
    expect(await run(folder, ...command)).toMatchObject({ code: 0, out: "written    page.md\n" });
    expect(readFileSync(file, "utf8")).toMatch(
      /^# A\n\n<!-- .+\n\n```mermaid\nflowchart TD\n[^`]+```\n\n<!-- .+\n\nThe end$/,
    );
    utimesSync(file, 0, 0);
    expect(await run(folder, ...command)).toMatchObject({ code: 0, out: "unchanged  page.md\n" });
    expect(statSync(file).mtimeMs).toBe(0);
    expect(await run(folder, ...command, "--check")).toMatchObject({ code: 0 });
  });

  it("change no file when one of several is wrong", async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, "good.md"), page);
    writeFileSync(join(folder, "bad.md"), page.replace("refunds", "refnuds"));
    const files = ["--markdown", "good.md", "--markdown", "bad.md"];
    expect(await run(folder, "graph", orders, ...files)).toMatchObject({
      code: 2,
      error: expect.stringContaining('bad.md:3: there is no workflow "refnuds" among'),
    });
    expect(readFileSync(join(folder, "good.md"), "utf8")).toBe(page);
    expect(await run(folder, "graph", orders, "--markdown", "gone.md")).toMatchObject({
      code: 2,
      error: expect.stringMatching(/^hephaestus: ENOENT: .*gone\.md/),
    });
  });
});
