/*
 * The rules of the tree, and the check of a set of files against them. It reads no disk: the test feeds it the real
 * tree, and small made-up ones that break each rule.
 */

export interface SourceFile {
  /** From the root, with slashes: `core/src/engine/decide.ts`. */
  readonly path: string;
  readonly text: string;
}

const LINES_MAX = 400;

/** Files that may be longer, each with the reason why it is still one concept. */
const LONG_FILES: Readonly<Record<string, string>> = {};

/** What a package may import of ours besides core. Everyone may import core; nobody imports an app or the benchmarks. */
const ADAPTERS_OF_ADAPTERS: Readonly<Record<string, readonly string[]>> = { "adapters/d1": ["adapters/sqlite"] };

/** Inside core: what each folder may import. Files beside them (core/src/index.ts) stand above and see all. */
const FOLDERS_OF_CORE: Readonly<Record<string, readonly string[]>> = {
  definition: ["definition"],
  drawing: ["definition", "drawing"],
  engine: ["definition", "engine"],
  telemetry: ["definition", "engine", "telemetry"],
  runtime: ["definition", "engine", "telemetry", "runtime"],
  testing: ["definition", "engine", "runtime", "testing"],
};

/** The engine is pure, and so is all of core but the runtime, which is handed a clock and a random source. */
const IMPURE = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bcrypto\.(?:randomUUID|getRandomValues)\b/;

function isTest(path: string): boolean {
  return /\.(?:test|test-d|bench)\.tsx?$/.test(path) || /^[^/]+\/(?:[^/]+\/)?test\//.test(path);
}

/** `core`, `adapters/d1`, `apps/demo-web`, `bench`: the folder of the package that a file belongs to. */
function packageOf(path: string): string {
  const parts = path.split("/");
  return ["adapters", "apps"].includes(parts[0] ?? "") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Every module that a file names: imports and re-exports, type-only ones and dynamic ones included. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text);
  // The formatter sees to it that a statement begins its line; an import's head holds no quote, `;`, `=` or `(`.
  const statements = code.matchAll(/^(?:import|export)\b[^"';=(]*?\bfrom\s*["']([^"']+)["']/gm);
  const bare = code.matchAll(/^import\s*["']([^"']+)["']/gm);
  const dynamic = code.matchAll(/\bimport\(\s*["']([^"']+)["']/g);
  return [...statements, ...bare, ...dynamic].map((match) => match[1] ?? "");
}

function join(folder: string, relative: string): string {
  const parts = folder.split("/");
  for (const part of relative.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The file of ours that an import leads to; undefined for packages that are not ours. */
function target(from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return join(from.slice(0, from.lastIndexOf("/")), specifier).replace(/\?.*$/, "");
  const own = /^@hephaestus\/([^/]+)(?:\/(.+))?$/.exec(specifier);
  if (!own) return undefined;
  const [, name = "", subpath] = own;
  const folder = name === "core" || name === "bench" ? name : `${isApp(name) ? "apps" : "adapters"}/${name}`;
  // As the packages' `exports` have it: core/drawing and core/testing are folders, sqlite/node a file.
  const isFolder = subpath === "drawing" || subpath === "testing";
  return `${folder}/src/${isFolder ? `${subpath}/index` : (subpath ?? "index")}.ts`;
}

const isApp = (name: string) => ["cli", "demo-web", "edge-worker"].includes(name);

function directionProblem(from: string, to: string): string | undefined {
  const [source, destination] = [packageOf(from), packageOf(to)];
  if (source === destination || isTool(from, to)) return undefined;
  if (source === "core") return "core imports nothing";
  if (destination.startsWith("apps/") || destination === "bench") return "nobody imports an app or the benchmarks";
  const mayImport = source.startsWith("apps/") || source === "bench" || destination === "core";
  if (mayImport || ADAPTERS_OF_ADAPTERS[source]?.includes(destination)) return undefined;
  return "adapters do not import each other";
}

/** Tests and measurements share what is no part of any package. */
function isTool(from: string, to: string): boolean {
  return to.startsWith("scripts/") && (isTest(from) || packageOf(from) === "bench");
}

function folderOfCore(path: string): string | undefined {
  return /^core\/src\/([^/]+)\//.exec(path)?.[1];
}

function coreProblem(from: string, to: string): string | undefined {
  const [source, destination] = [folderOfCore(from), folderOfCore(to)];
  if (!source || isTest(from)) return undefined;
  const allowed = FOLDERS_OF_CORE[source];
  if (!allowed) return `core/src/${source} is not in the layout`;
  if (!destination) return "only core's own index stands above its folders";
  return allowed.includes(destination) ? undefined : `${source} does not import ${destination}`;
}

function externalProblem(from: string, specifier: string): string | undefined {
  if (packageOf(from) !== "core" || isTest(from) || !from.startsWith("core/src/")) return undefined;
  if (specifier === "vitest" && folderOfCore(from) === "testing") return undefined;
  return "core imports no package and no platform";
}

/** Where the test kit begins, which users import in any test runner; the conformance suites stand beside it. */
const TEST_KIT = "core/src/testing/index.ts";

/** Everything that a file imports, directly or not, itself included. */
function reachable(graph: ReadonlyMap<string, readonly string[]>, from: string): ReadonlySet<string> {
  const found = new Set([from]);
  for (const file of found) for (const next of graph.get(file) ?? []) found.add(next);
  return found;
}

/** The first cycle found through each file, as the files in their order; each cycle once. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}

/** Every break of a rule, as a line that names the file and the rule. */
export function problemsOf(files: readonly SourceFile[], longFiles = LONG_FILES): string[] {
  const problems: string[] = [];
  const paths = new Set(files.map(({ path }) => path));
  const graph = new Map<string, string[]>();

  for (const { path, text } of files) {
    const edges: string[] = [];
    for (const specifier of importsOf(text)) {
      const to = target(path, specifier);
      const problem = to ? (directionProblem(path, to) ?? coreProblem(path, to)) : externalProblem(path, specifier);
      if (problem) problems.push(`${path} imports ${specifier}: ${problem}`);
      if (to && specifier.startsWith(".") && packageOf(to) !== packageOf(path) && !isTool(path, to)) {
        problems.push(`${path} imports ${specifier}: another package is imported by its name`);
      }
      if (to && paths.has(to)) edges.push(to);
    }
    graph.set(path, edges);

    const isSource = /\/src\//.test(path) && !isTest(path);
    const lines = text.split("\n").length - 1;
    if (isSource && lines > LINES_MAX && !longFiles[path]) {
      problems.push(
        `${path} has ${lines} lines: over ${LINES_MAX} it asks to be two (or name it in LONG_FILES, with why)`,
      );
    }
    const folder = folderOfCore(path);
    if (isSource && folder && folder !== "runtime" && IMPURE.test(withoutComments(text))) {
      problems.push(`${path} reads a clock or a random source: only the runtime does`);
    }
  }
  const kit = reachable(graph, TEST_KIT);
  for (const { path, text } of files) {
    if (kit.has(path) && importsOf(text).includes("vitest")) {
      problems.push(`${path} imports vitest and is part of the test kit, which runs in any test runner`);
    }
  }
  for (const cycle of cycles(graph)) problems.push(`import cycle: ${cycle.join(" → ")}`);
  return problems;
}
