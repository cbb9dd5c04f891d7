import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Problem } from "@hephaestus/core";
import { type Found, findWorkflows } from "./find-workflows.ts";

/** What can be wrong with a module besides its definitions. */
type ModuleProblemCode = "MODULE_NOT_FOUND" | "MODULE_FAILED" | "WORKFLOW_MISSING";

interface ModuleProblem {
  readonly code: Problem["code"] | ModuleProblemCode;
  readonly message: string;
  readonly names: readonly string[];
}

/** A module with its workflows, or with why there are none. */
export interface LoadedModule {
  /** As it was given. */
  readonly module: string;
  readonly found: Found;
  /** What the problems are of. */
  readonly summary: string;
  readonly problems: readonly ModuleProblem[];
}

/** Imports a module of JavaScript or TypeScript and finds its workflows. Its code runs. */
export async function loadModule(module: string, cwd: string): Promise<LoadedModule> {
  const path = resolve(cwd, module);
  const broken = (summary: string, ...problems: ModuleProblem[]): LoadedModule => ({
    module,
    found: { workflows: [], families: [] },
    summary,
    problems,
  });
  const failed = (code: ModuleProblemCode, message: string) => broken(message, { code, message, names: [] });
  if (!existsSync(path)) return failed("MODULE_NOT_FOUND", "there is no such file");
  if (statSync(path).isDirectory()) return failed("MODULE_NOT_FOUND", "is a folder, not a module");
  let exports: object;
  try {
    exports = await import(/* @vite-ignore */ pathToFileURL(path).href);
  } catch (error) {
    const problems = problemsIn(error);
    if (problems) return broken((error as Error).message.split("\n")[0]?.replace(/:$/, "") ?? "", ...problems);
    return failed("MODULE_FAILED", `cannot be loaded: ${describe(error)}`);
  }
  const found = findWorkflows(exports);
  if (found.workflows.length === 0) return failed("WORKFLOW_MISSING", "exports no workflow");
  return { module, found, summary: "", problems: [] };
}

/** Those of a `DefinitionError`, also of one that another copy of the package has thrown. */
function problemsIn(error: unknown): readonly ModuleProblem[] | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "DEFINITION_INVALID") return undefined;
  return "problems" in error && Array.isArray(error.problems) ? error.problems : undefined;
}

/** What Node says of sources that it does not run as they are, and what helps. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX/, "NODE_OPTIONS=--experimental-transform-types lets Node run it"],
  [/^ERR_UNKNOWN_FILE_EXTENSION/, "Node runs .js, .mjs, .ts and .mts; TypeScript from 22.18 on"],
  [
    /import statement outside a module|Unexpected token 'export'/,
    'name it .mjs, or put "type": "module" in package.json',
  ],
];

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  // The first place that is not in this package's own code.
  const places = [...(error.stack ?? "").matchAll(/file:\/\/\S+:\d+/g)].map(([place]) => place);
  const place = places.find((one) => !one.startsWith(new URL(".", import.meta.url).href));
  const hint = HINTS.find(([pattern]) => pattern.test(`${code} ${error.message}`))?.[1] ?? "";
  return `${error.name}: ${error.message}${place ? ` (${place})` : ""}${hint && `; ${hint}`}`;
}
