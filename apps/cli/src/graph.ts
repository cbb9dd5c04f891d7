import { readFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { AnyWorkflow, Graph } from "@hephaestus/core";
import { toAscii, toMermaid, toSvg } from "@hephaestus/core/drawing";
import type { Command } from "./command.ts";
import type { Found } from "./find-workflows.ts";
import { updateMarkdown } from "./markdown.ts";
import { exitCodeOf, loadModules, toText } from "./report.ts";
import { UsageError } from "./usage-error.ts";
import { writeOutputs } from "./write-files.ts";

const FORMATS: Readonly<Record<string, (graph: Graph) => string>> = { ascii: toAscii, mermaid: toMermaid, svg: toSvg };
const FORMAT_OF: Readonly<Record<string, string>> = { ".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid" };

/** `hephaestus graph`: a workflow's graph as text, for Markdown, or as an image. */
export const graph: Command = {
  summary: "draws a workflow's graph, or keeps it in Markdown files up to date",
  help: `Usage: hephaestus graph <module> [...] [--workflow <name>[@<version>]] [--format ascii|mermaid|svg] [--out <file>]
       hephaestus graph <module> [...] --markdown <file> [--markdown <file> ...] [--check]

Loads modules of JavaScript or TypeScript (their code runs) and draws a workflow that they export. Without a version it
is the one that new instances get: what defineVersions says is current, or the newest.

Options:
  --workflow <name>    which one, where the modules export several
  --format <format>    ascii (default), mermaid or svg; without it a file's ending decides: .svg, .mmd
  --out <file>         where to write it, instead of here
  --markdown <file>    write Mermaid graphs between the markers of a Markdown file:
                         <!-- hephaestus:graph order_flow -->
                         <!-- /hephaestus:graph -->
  --check              write nothing; exit code 1 when a file is not up to date

Exit codes: 0 done; 1 a definition is broken, or a file is not up to date; 2 the command line or a marker is wrong.
`,
  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        workflow: { type: "string" },
        format: { type: "string" },
        out: { type: "string" },
        markdown: { type: "string", multiple: true, default: [] },
        check: { type: "boolean", default: false },
      },
    });
    const { workflow, out, markdown, check } = values;
    if (positionals.length === 0) throw new UsageError("no module to draw from");
    const format = values.format ?? FORMAT_OF[extname(out ?? "")] ?? "ascii";
    const draw = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (draw === undefined) {
      throw new UsageError(`unknown format ${JSON.stringify(format)}; there are ${Object.keys(FORMATS).join(", ")}`);
    }
    if (markdown.length > 0 && (workflow ?? values.format ?? out) !== undefined) {
      throw new UsageError("--markdown draws what the markers name: no --workflow, --format or --out with it");
    }
    if (check && markdown.length === 0 && out === undefined) {
      throw new UsageError("--check needs a file to check: --out or --markdown");
    }

    const modules = await loadModules(positionals, terminal.cwd);
    if (exitCodeOf(modules) !== 0) {
      terminal.error(toText(modules));
      return exitCodeOf(modules);
    }
    const library: Found = {
      workflows: modules.flatMap(({ found }) => found.workflows),
      families: modules.flatMap(({ found }) => found.families),
    };
    if (markdown.length === 0) {
      const drawing = draw(pick(library, workflow).graph);
      if (out !== undefined) return writeOutputs([{ path: out, text: drawing }], check, terminal);
      terminal.out(drawing);
      return 0;
    }
    const outputs = markdown.map((path) => {
      const before = readFileSync(resolve(terminal.cwd, path), "utf8");
      return { path, text: updateMarkdown(before, path, (name) => toMermaid(pick(library, name).graph)) };
    });
    return writeOutputs(outputs, check, terminal);
  },
};

/**
 * The workflow of a name, or of a name and a version; without a name the only one.
 * @throws UsageError when there is none, or without a name several
 */
function pick({ workflows, families }: Found, wanted: string | undefined): AnyWorkflow {
  const names = [...new Set(workflows.map(({ name }) => name))];
  const [name = "", version] = (wanted ?? names[0] ?? "").split("@");
  if (wanted === undefined && names.length > 1) {
    throw new UsageError(`which one? --workflow ${names.join(", ")}`);
  }
  const versions = workflows.filter((one) => one.name === name).toSorted((one, other) => other.version - one.version);
  const current = families.find((family) => family.name === name)?.current ?? versions[0]?.version;
  const found = versions.find((one) => String(one.version) === (version ?? String(current)));
  if (found) return found;
  const known = workflows.map((one) => `${one.name}@${one.version}`);
  throw new UsageError(`there is no workflow ${JSON.stringify(wanted)} among ${known.join(", ")}`);
}
