import type { ExitCode } from "./command.ts";
import { type LoadedModule, loadModule } from "./load-module.ts";

/** One after the other, since their code runs. */
export async function loadModules(modules: readonly string[], cwd: string): Promise<readonly LoadedModule[]> {
  const loaded: LoadedModule[] = [];
  for (const module of modules) loaded.push(await loadModule(module, cwd));
  return loaded;
}

export function exitCodeOf(modules: readonly LoadedModule[]): ExitCode {
  const problems = modules.flatMap((module) => module.problems);
  if (problems.some(({ code }) => code === "MODULE_NOT_FOUND")) return 2;
  return problems.length > 0 ? 1 : 0;
}

/** For programs. */
export function toReport(modules: readonly LoadedModule[]) {
  return {
    ok: modules.every(({ problems }) => problems.length === 0),
    modules: modules.map(({ module, found, problems }) => ({
      module,
      workflows: found.workflows.map(({ name, version, graph }) => ({
        name,
        version,
        steps: graph.nodes.length,
        fingerprint: graph.fingerprint,
      })),
      families: found.families.map(({ name, current, versions }) => ({
        name,
        current,
        versions: versions.map(({ version }) => version),
      })),
      problems,
    })),
  };
}

/** For people: a line a module, and one for each problem. */
export function toText(modules: readonly LoadedModule[]): string {
  const lines = modules.flatMap(({ module, found, summary, problems }) => {
    if (problems.length === 0) {
      const names = found.workflows.map(({ name, version, graph }) => {
        return `${name}@${version} (${graph.nodes.length} ${graph.nodes.length === 1 ? "step" : "steps"})`;
      });
      return [`${module}: ${names.join(", ")}`];
    }
    const told = problems.map(({ code, names, message }) => {
      return `  ${code}${names.length > 0 ? ` [${names.join(", ")}]` : ""}: ${message}`;
    });
    return [`${module}: ${summary}`, ...(problems.some(({ message }) => message !== summary) ? told : [])];
  });
  const count = modules.reduce((sum, { problems }) => sum + problems.length, 0);
  const end = count === 0 ? "no problems" : `${count} ${count === 1 ? "problem" : "problems"}`;
  return `${lines.join("\n")}\n${end}\n`;
}
