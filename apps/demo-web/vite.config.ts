import { defineConfig } from "vite";

export default defineConfig({
  // JSX without a plugin: what preact needs of a build is these two lines.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // The sources of the workspace's packages, so that none must be built before.
  resolve: { conditions: ["@hephaestus/source", "module", "browser", "development|production"] },
  build: { target: "es2023", sourcemap: true },
});
