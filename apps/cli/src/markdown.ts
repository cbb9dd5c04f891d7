import { UsageError } from "./usage-error.ts";

const OPEN = /^( {0,3})<!--\s*hephaestus:graph\b\s*(.*?)\s*-->\s*$/;
const CLOSE = /^ {0,3}<!--\s*\/hephaestus:graph\s*-->\s*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

/**
 * Puts a Mermaid chart between each pair of markers in a Markdown file:
 *
 *     <!-- hephaestus:graph order_flow -->
 *     <!-- /hephaestus:graph -->
 *
 * The rest stays as it is, and so does all of it when it is done again. Markers inside of code blocks are text.
 *
 * @param chartOf the chart of what a marker names; throws UsageError when there is none
 * @throws UsageError that names the line, when there are no markers or they are not in pairs
 */
export function updateMarkdown(text: string, path: string, chartOf: (name: string) => string): string {
  const lineEnd = /\r?\n/.exec(text)?.[0] ?? "\n";
  const lines = text.split(/\r?\n/);
  const result: string[] = [];
  let fence: string | undefined;
  let found = 0;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const refuse = (why: string): never => {
      throw new UsageError(`${path}:${index + 1}: ${why}`);
    };
    result.push(line);
    const [, mark = "", info = ""] = FENCE.exec(line) ?? [];
    if (fence !== undefined) {
      if (mark.startsWith(fence) && info.trim() === "") fence = undefined;
      continue;
    }
    // Words after backticks with backticks among them are no block, but code in a line.
    if (mark !== "" && !(mark.startsWith("`") && info.includes("`"))) {
      fence = mark;
      continue;
    }
    if (CLOSE.test(line)) refuse("this marker ends a graph that none begins");
    const [open, indent = "", name = ""] = OPEN.exec(line) ?? [];
    if (open === undefined) continue;
    if (name === "") refuse("this marker names no workflow: <!-- hephaestus:graph order_flow -->");
    const end = lines.findIndex((one, at) => at > index && (CLOSE.test(one) || OPEN.test(one)));
    if (end < 0 || !CLOSE.test(lines[end] ?? "")) refuse("this marker has no end: <!-- /hephaestus:graph -->");
    const chart = within(`${path}:${index + 1}`, () => chartOf(name));
    const block = ["", "```mermaid", ...chart.trimEnd().split("\n"), "```", ""];
    result.push(...block.map((one) => (one === "" ? one : indent + one)), lines[end] ?? "");
    index = end;
    found += 1;
  }
  if (found === 0) {
    throw new UsageError(`${path} has no markers: <!-- hephaestus:graph order_flow --> and <!-- /hephaestus:graph -->`);
  }
  return result.join(lineEnd);
}

/** Says where, when it goes wrong. */
function within<T>(place: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${place}: ${error.message}`) : error;
  }
}
