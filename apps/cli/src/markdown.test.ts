import { describe, expect, it } from "vitest";
import { updateMarkdown } from "./markdown.ts";
import { UsageError } from "./usage-error.ts";

const update = (text: string) =>
  updateMarkdown(text, "page.md", (name) => {
    if (name === "unknown") throw new UsageError("there is no such workflow");
    return `chart of ${name}\n`;
  });
const graph = (name: string, inside: string) =>
  `<!-- hephaestus:graph ${name} -->\n${inside}<!-- /hephaestus:graph -->\n`;
const chart = (name: string) => `\n\`\`\`mermaid\nchart of ${name}\n\`\`\`\n\n`;

describe("a page with markers", () => {
  it("gets a chart between each pair, and is the same afterwards", () => {
    const once = update(`# A\n${graph("one", "old\n")}text\n${graph("two@3", "")}`);
    expect(once).toBe(`# A\n${graph("one", chart("one"))}text\n${graph("two@3", chart("two@3"))}`);
    expect(update(once)).toBe(once);
  });

  it("keeps its ends of lines, its indents and what it ends with", () => {
    const windows = `a\r\n${graph("one", "").replaceAll("\n", "\r\n")}no end`;
    expect(update(windows)).toBe(`a\r\n${graph("one", chart("one")).replaceAll("\n", "\r\n")}no end`);
    const list = "- item\n\n  <!-- hephaestus:graph one -->\n  <!-- /hephaestus:graph -->\n";
    expect(update(list)).toContain("  ```mermaid\n  chart of one\n  ```\n");
  });

  it("may show markers in code", () => {
    const shown = `\`\`\`md\n${graph("unknown", "")}\`\`\`\n~~~~\n~~~\n${graph("unknown", "")}~~~~\n\`\`\` a \`\`\` b\n`;
    expect(update(`${shown}${graph("one", "")}`)).toBe(`${shown}${graph("one", chart("one"))}`);
  });

  it("is mended when a code block between its markers was left open", () => {
    expect(update(graph("one", "```mermaid\n"))).toBe(graph("one", chart("one")));
  });

  it.each([
    ["no marker", "text\n", "page.md has no markers"],
    ["no end", "a\n<!-- hephaestus:graph one -->\n", "page.md:2: this marker has no end"],
    [
      "another beginning before its end",
      `<!-- hephaestus:graph one -->\n${graph("two", "")}`,
      "page.md:1: this marker",
    ],
    ["an end alone", "<!-- /hephaestus:graph -->\n", "page.md:1: this marker ends a graph that none begins"],
    ["no name", graph("", ""), "page.md:1: this marker names no workflow"],
    ["an unknown name", `\n${graph("unknown", "")}`, "page.md:2: there is no such workflow"],
  ])("is refused with %s", (_, text, why) => {
    expect(() => update(text)).toThrow(UsageError);
    expect(() => update(text)).toThrow(why);
  });
});
