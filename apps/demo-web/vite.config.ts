import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** Builds the service worker, and tells it which files the page is made of. */
function offline(): Plugin {
  let outDir = "";
  return {
    name: "offline",
    apply: "build",
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
      if (config.build.outDir.startsWith("/")) outDir = config.build.outDir;
    },
    buildStart() {
      this.emitFile({ type: "chunk", id: "src/offline/service-worker.ts", fileName: "service-worker.js" });
    },
    // When all files are there, those of `public` and the page itself too.
    closeBundle() {
      const worker = join(outDir, "service-worker.js");
      const files = readdirSync(outDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((file) => file !== worker && !file.endsWith(".map"))
        .sort();
      const hash = createHash("sha256");
      for (const file of files) hash.update(`${file.slice(outDir.length)}\0`).update(readFileSync(file));
      const paths = files.map((file) =>
        file
          .slice(outDir.length)
          .replaceAll("\\", "/")
          .replace(/\/index\.html$/, "/"),
      );
      const build = JSON.stringify({ version: hash.digest("hex").slice(0, 16), files: paths });
      const code = readFileSync(worker, "utf8");
      const filled = code.replace(/(["'`])__BUILD__\1/, () => JSON.stringify(build));
      if (filled === code) throw new Error("the service worker has no place for its files");
      writeFileSync(worker, filled);
    },
  };
}

export default defineConfig({
  plugins: [offline()],
  // JSX without a plugin: what preact needs of a build is these two lines.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // The sources of the workspace's packages, so that none must be built before.
  resolve: { conditions: ["@hephaestus/source", "module", "browser", "development|production"] },
  build: { target: "es2023", sourcemap: true },
});
