import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

/** What a user of core ships for "define a workflow, keep it in memory, run it here". */
const ENTRY = 'export { createHephaestus, defineStep, defineWorkflow, done, emit } from "@hephaestus/core";';

export interface Bundle {
  /** Minified and gzipped, in bytes. */
  readonly gzipped: number;
  /** Minified, in bytes. */
  readonly minified: number;
  /** What each module brings after tree-shaking and before it is minified, in bytes, the largest first. */
  readonly modules: readonly { readonly path: string; readonly bytes: number }[];
}

/** Bundles the entry, tree-shaken and minified, from the sources. */
export async function bundleCore(): Promise<Bundle> {
  const entry = "\0entry";
  const build = await rolldown({
    input: entry,
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    platform: "neutral",
    resolve: { conditionNames: ["@hephaestus/source"] },
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? ENTRY : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: "esm", minify: true });
  await build.close();
  const [chunk] = output;
  if (output.length !== 1 || chunk.imports.length > 0) throw new Error(`not one file: it imports ${chunk.imports}`);
  const modules = Object.entries(chunk.modules)
    .map(([path, { renderedLength }]) => ({ path: path.replace(/^.*\/core\/src\//, ""), bytes: renderedLength }))
    .filter(({ bytes }) => bytes > 0)
    .sort((one, other) => other.bytes - one.bytes);
  return { gzipped: gzipSync(chunk.code, { level: 9 }).length, minified: Buffer.byteLength(chunk.code), modules };
}

/** As it is written in the README: thousands of bytes, to a tenth. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} KB`;
}
