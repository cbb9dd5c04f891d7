import { type RegisterHooksOptions, registerHooks } from "node:module";

type Resolve = NonNullable<RegisterHooksOptions["resolve"]>;

/** What an import may leave out, or name by what it becomes when it is compiled. */
const ENDINGS: readonly (readonly [RegExp, string])[] = [
  [/\.js$/, ".ts"],
  [/\.mjs$/, ".mts"],
  [/$/, ".ts"],
  [/$/, ".js"],
  [/\/?$/, "/index.ts"],
  [/\/?$/, "/index.js"],
];

/**
 * From now on this process loads modules as bundlers do, for which most sources are written: imports may leave out a
 * file's ending or name it `.js`, and TypeScript with imports is a module whatever package.json says.
 */
export function acceptBundlerImports(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const found = resolveAnyEnding(specifier, context, nextResolve);
      const isModule = found.format === "commonjs-typescript" && !found.url.endsWith(".cts");
      return isModule ? { ...found, format: "module-typescript" } : found;
    },
  });
}

function resolveAnyEnding(...[specifier, context, nextResolve]: Parameters<Resolve>): ReturnType<Resolve> {
  try {
    return nextResolve(specifier, context);
  } catch (error) {
    if (!/^\.{1,2}(\/|$)/.test(specifier)) throw error;
    for (const [end, ending] of ENDINGS) {
      if (!end.test(specifier)) continue;
      try {
        return nextResolve(specifier.replace(end, ending), context);
      } catch {
        // The next one; what is told in the end is that the import as it is written leads nowhere.
      }
    }
    throw error;
  }
}
